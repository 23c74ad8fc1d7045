import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { jsonAnswer } from './endpoints.js'
import type { Exchange } from './exchange.js'
import { send, sendHead } from './wire.js'

const BOMB_BYTES = 64 * 1024 * 1024

/** The ordinary answer in single bytes, then endless blanks, which JSON allows. */
export function drip(exchange: Exchange, ms: number): void {
  const answer = exchange.normally()
  const { response } = exchange
  sendHead(exchange, answer)
  response.flushHeaders()
  const bytes = Buffer.from(answer.body)[Symbol.iterator]()
  const timer = setInterval(() => response.write(Buffer.of(bytes.next().value ?? 0x20)), ms)
  response.once('close', () => {
    clearInterval(timer)
  })
}

/** As fast as the client reads: pipeline waits for the drain. */
export async function endless(exchange: Exchange): Promise<void> {
  sendHead(exchange, jsonAnswer(200, {}))
  await pipeline(Readable.from(endlessToken()), exchange.response).catch(clientLeft)
}

export function declaredHuge(exchange: Exchange): void {
  sendHead(exchange, { ...jsonAnswer(200, {}), headers: { 'Content-Length': String(1024 ** 3) } })
  exchange.response.write('{"authenticity_token":"')
}

export function badGzip(exchange: Exchange): void {
  const answer = exchange.normally()
  send(exchange, { ...answer, headers: { ...answer.headers, 'Content-Encoding': 'gzip' } })
}

export async function gzipBomb(exchange: Exchange): Promise<void> {
  bomb ??= promisify(gzip)(Buffer.alloc(BOMB_BYTES))
  const packed = await bomb
  const headers = { 'Content-Encoding': 'gzip', 'Content-Length': String(packed.length) }
  sendHead(exchange, { ...jsonAnswer(200, {}), headers })
  exchange.response.end(packed)
}

let bomb: Promise<Buffer> | undefined

function* endlessToken(): Generator<Buffer> {
  yield Buffer.from('{"authenticity_token":"')
  const chunk = Buffer.alloc(64 * 1024, 'A')
  for (;;) yield chunk
}

function clientLeft(): void {
  // Every client of an endless body ends it by leaving.
}
