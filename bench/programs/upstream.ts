import { createServer, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { headerLines } from '../../test/sandbox/wire.js'

export interface UpstreamMode {
  delayMs: number
}

/** Since the last change of mode. */
export interface UpstreamCount {
  calls: number
}

const AUTHORIZATION = `Bearer ${process.env['UPSTREAM_TOKEN'] ?? ''}`
const TOKEN = JSON.stringify({ authenticity_token: 'A'.repeat(86) })
const JSON_TYPE = 'application/json; charset=utf-8'

/** Heads and bodies as Zendesk sends them, some 25 lines, made once: this shares its core with the load, and must not be the limit. */
const answers = {
  plain: prepared(200, Buffer.from(TOKEN)),
  packed: prepared(200, gzipSync(TOKEN), ['Content-Encoding', 'gzip']),
  refused: prepared(401, Buffer.from('{}')),
}

let delayMs = 0
let calls = 0

const server = createServer(({ headers }, response) => {
  calls += 1
  const accepted = String(headers['accept-encoding']).includes('gzip') ? answers.packed : answers.plain
  const prepared = headers.authorization === AUTHORIZATION ? accepted : answers.refused
  if (delayMs === 0) answer(response, prepared)
  else setTimeout(answer, delayMs, response, prepared)
})
server.keepAliveTimeout = 75_000
server.listen(0, '127.0.0.1', 8192, () => process.send?.(server.address()))

process.on('message', ({ mode }: { mode?: UpstreamMode }) => {
  process.send?.({ calls } satisfies UpstreamCount)
  if (!mode) return
  delayMs = mode.delayMs
  calls = 0
})
process.once('disconnect', () => process.exit())

function prepared(status: number, body: Buffer, more: string[] = []) {
  const quota = { limit: 700, remaining: 668, resetSeconds: 27 }
  const lines = headerLines({ status, contentType: JSON_TYPE, body: body.toString('latin1') }, quota).flat()
  return { status, head: [...lines, ...more, 'Content-Length', String(body.length)], body }
}

function answer(response: ServerResponse, { status, head, body }: ReturnType<typeof prepared>): void {
  response.writeHead(status, head)
  response.end(body)
}
