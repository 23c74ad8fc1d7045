import { createServer, type ServerResponse } from 'node:http'
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

let mode: UpstreamMode = { delayMs: 0 }
let count: UpstreamCount = { calls: 0, refused: 0 }

// A few lines instead of the sandbox: it shares its core with the load, and must not be what is measured.
const server = createServer((request, response) => {
  count.calls += 1
  if (request.headers.authorization !== AUTHORIZATION) answer(response, 401, '{}')
  else if (count.calls > (mode.limit ?? Infinity)) {
    count.refused += 1
    answer(response, 429, REFUSAL)
  } else if (mode.delayMs === 0) answer(response, 200, TOKEN)
  else
    setTimeout(() => {
      answer(response, 200, TOKEN)
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

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': status === 429 ? 'text/plain' : 'application/json; charset=utf-8',
    'content-length': body.length,
    ...(status === 429 && { 'retry-after': '60' }),
  })
  response.end(body)
}
