import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { headerLines } from '../../test/sandbox/wire.js'
import { portOf } from '../ports.js'

/** How the upstream behaves from now on; counting starts anew. */
export interface UpstreamMode {
  delayMs: number
  /** Calls that get a token; all after them get a 429. */
  limit?: number
}

/** Counted since the last change of mode. */
export interface UpstreamCount {
  calls: number
  refused: number
}

const AUTHORIZATION = `Bearer ${process.env['UPSTREAM_TOKEN'] ?? ''}`
const TOKEN = JSON.stringify({ authenticity_token: 'A'.repeat(86) })
const REFUSAL = 'Number of allowed API requests per minute exceeded'

/** Heads and bodies as Zendesk sends them, some 25 lines, made once: this shares its core with the load, and must not be the limit. */
const answers = {
  plain: prepared(200, 'application/json; charset=utf-8', Buffer.from(TOKEN)),
  packed: prepared(200, 'application/json; charset=utf-8', gzipSync(TOKEN), ['Content-Encoding', 'gzip']),
  refusal: prepared(429, 'text/plain; charset=UTF-8', Buffer.from(REFUSAL), ['Retry-After', '60']),
  stranger: prepared(401, 'application/json; charset=utf-8', Buffer.from('{}')),
}

let mode: UpstreamMode = { delayMs: 0 }
let count: UpstreamCount = { calls: 0, refused: 0 }

const server = createServer((request, response) => {
  count.calls += 1
  if (request.headers.authorization !== AUTHORIZATION) answer(response, answers.stranger)
  else if (count.calls > (mode.limit ?? Infinity)) {
    count.refused += 1
    answer(response, answers.refusal)
  } else if (mode.delayMs === 0) answer(response, tokenFor(request))
  else
    setTimeout(() => {
      answer(response, tokenFor(request))
    }, mode.delayMs)
})
server.keepAliveTimeout = 75_000
server.listen(0, '127.0.0.1', 8192, () => process.send?.({ port: portOf(server) }))

process.on('message', (wanted: UpstreamMode | 'count') => {
  process.send?.(count)
  if (wanted === 'count') return
  mode = wanted
  count = { calls: 0, refused: 0 }
})
process.once('disconnect', () => process.exit())

type Prepared = ReturnType<typeof prepared>

function prepared(status: number, contentType: string, body: Buffer, more: string[] = []) {
  const quota = { limit: 700, remaining: 668, resetSeconds: 27 }
  const lines = headerLines({ status, contentType, body: body.toString('latin1') }, quota).flat()
  return { status, head: [...lines, ...more, 'Content-Length', String(body.length)], body }
}

function tokenFor({ headers }: IncomingMessage): Prepared {
  return String(headers['accept-encoding']).includes('gzip') ? answers.packed : answers.plain
}

function answer(response: ServerResponse, { status, head, body }: Prepared): void {
  response.writeHead(status, head)
  response.end(body)
}
