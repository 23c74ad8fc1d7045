import { setTimeout as wait } from 'node:timers/promises'
import type { Exchange } from './exchange.js'
import { sendHead } from './wire.js'

const HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nX-Zendesk-API-Version: v2\r\n'

/** RST before any byte of an answer. */
export function reset({ tcp }: Exchange): void {
  tcp.resetAndDestroy()
}

/** The head and half of the body, then RST. */
export async function resetMidBody(exchange: Exchange): Promise<void> {
  const { response, tcp } = exchange
  const answer = exchange.normally()
  const whole = Buffer.from(answer.body)
  sendHead(exchange, { ...answer, headers: { ...answer.headers, 'Content-Length': String(whole.length) } })
  response.write(whole.subarray(0, whole.length / 2))
  // An RST on the heels of the bytes could overtake their reading.
  await wait(50, undefined, { ref: false })
  tcp.resetAndDestroy()
}

/** Head lines in single bytes; after the real ones a header that never ends. */
export function dripHead({ request }: Exchange, ms: number): void {
  const bytes = Buffer.from(`${HEAD}X-Slow: `)[Symbol.iterator]()
  const timer = setInterval(() => request.socket.write(Buffer.of(bytes.next().value ?? 0x61)), ms)
  request.socket.once('close', () => {
    clearInterval(timer)
  })
}

/** Half a head, then FIN. */
export function cutHead({ request }: Exchange): void {
  request.socket.end(HEAD.slice(0, HEAD.length / 2))
}

export function garbage({ request }: Exchange): void {
  request.socket.end('\u0016\u0003\u0001 sandbox garbage, no HTTP at all \u0000\r\n\r\n', 'latin1')
}
