import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A TCP relay in front of Zendesk, for what happens to connections on the way. */
export async function startRelay(t: Test, port: number) {
  const relay = { url: '', port, opened: 0, freeze }
  const pairs = new Set<[Socket, Socket]>()
  const server = createServer((near) => {
    relay.opened += 1
    const far = connect(relay.port, '127.0.0.1')
    const pair: [Socket, Socket] = [near, far]
    pairs.add(pair)
    near.pipe(far).pipe(near)
    for (const socket of pair)
      socket
        .on('error', () => undefined)
        .on('close', () => {
          near.destroy()
          far.destroy()
          pairs.delete(pair)
        })
  })
  /** From now on nothing more passes on the connections that are open, and neither side is told. */
  function freeze(): void {
    for (const [near, far] of pairs) {
      near.unpipe(far)
      far.unpipe(near)
      near.resume()
      far.resume()
    }
  }
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    for (const [near, far] of pairs) {
      near.destroy()
      far.destroy()
    }
    server.close()
  })
  relay.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return relay
}
