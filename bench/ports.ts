import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** A port of 127.0.0.1 that nobody listens on right now, for programs that cannot choose one and tell. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  return port
}

export function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP')
  return address.port
}
