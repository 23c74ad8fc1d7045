import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Owner } from './redis-server.js'

/** What goes wrong: on each connection, or as the reply to each command. */
export type RedisFault =
  | { kind: 'close' | 'reset' | 'silence' | 'garbage' }
  /** Said to whoever connects, before the connection is closed. */
  | { kind: 'denied'; line: string }
  /** The reply to these commands; others are answered by the real server. */
  | { kind: 'reply'; to: RegExp; line: string }

/** Stands before a real Redis and misbehaves on demand. */
export class FaultyRedis {
  /** Milliseconds by which each answer is late. */
  delayMs = 0
  /** Every command received, in capitals, with its arguments. */
  readonly commands: string[][] = []
  readonly #server
  readonly #clients = new Set<Socket>()
  #fault: RedisFault | undefined

  static async open(t: Owner, port: number): Promise<FaultyRedis> {
    const faulty = new FaultyRedis(port)
    await once(faulty.#server.listen(0, '127.0.0.1'), 'listening')
    t.teardown(() => {
      for (const socket of faulty.#clients) socket.destroy()
      faulty.#server.close()
    })
    return faulty
  }

  private constructor(port: number) {
    this.#server = createServer((client) => {
      this.#serve(client, port)
    })
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** From now on, also on connections that are open. */
  misbehave(fault: RedisFault): void {
    this.#fault = fault
    for (const client of this.#clients) this.#greet(client)
  }

  heal(): void {
    this.#fault = undefined
    // What was never answered would be answered out of order.
    for (const client of this.#clients) client.destroy()
  }

  #serve(client: Socket, port: number): void {
    const redis = connect(port, '127.0.0.1')
    this.#clients.add(client)
    for (const socket of [client, redis]) {
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#clients.delete(client)
        client.destroy()
        redis.destroy()
      })
    }
    this.#greet(client)
    let pending = Buffer.alloc(0)
    client.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk])
      for (let next = firstCommand(pending); next; next = firstCommand(pending)) {
        this.#answer(client, redis, next.words, pending.subarray(0, next.length))
        pending = pending.subarray(next.length)
      }
    })
    redis.on('data', (chunk) => {
      setTimeout(() => client.write(chunk), this.delayMs)
    })
  }

  #greet(client: Socket): void {
    const fault = this.#fault
    if (fault?.kind === 'close') client.end()
    if (fault?.kind === 'reset') client.resetAndDestroy()
    if (fault?.kind === 'denied') client.end(`-${fault.line}\r\n`)
  }

  #answer(client: Socket, redis: Socket, words: string[], bytes: Buffer): void {
    this.commands.push(words)
    const fault = this.#fault
    if (fault?.kind === 'silence') return
    if (fault?.kind === 'garbage') client.write('HTTP/1.1 400 Bad Request\r\n\r\n')
    else if (fault?.kind === 'reply' && fault.to.test(words[0] ?? '')) client.write(`-${fault.line}\r\n`)
    else redis.write(bytes)
  }
}

/** The first complete command, an array of bulk strings: `*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n`. */
function firstCommand(bytes: Buffer): { words: string[]; length: number } | undefined {
  const text = bytes.toString('latin1')
  const head = /^\*(\d+)\r\n/.exec(text)
  if (!head) return undefined
  let at = head[0].length
  const words: string[] = []
  for (let left = Number(head[1]); left > 0; left--) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at))
    if (!size) return undefined
    at += size[0].length
    const end = at + Number(size[1])
    if (text.length < end + 2) return undefined
    words.push(words.length === 0 ? text.slice(at, end).toUpperCase() : text.slice(at, end))
    at = end + 2
  }
  return { words, length: at }
}
