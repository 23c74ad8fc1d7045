import { createServer, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { headerLines } from '../../test/sandbox/wire.js'

// A Zendesk for where speed is measured. Heads and bodies are as Zendesk sends them, some 25 lines, and made once: this shares
// its core with the load, and must not be the limit. Each message tells how many calls came since the one before.
const AUTHORIZATION = `Bearer ${process.env['UPSTREAM_TOKEN'] ?? ''}`
const TOKEN = JSON.stringify({ authenticity_token: 'A'.repeat(86) })
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
server.listen(Number(process.argv[2]), '127.0.0.1', 8192, () => process.send?.({}))

process.on('message', (message: { delayMs?: number }) => {
  process.send?.({ calls })
  delayMs = message.delayMs ?? delayMs
  calls = 0
})
process.once('disconnect', () => process.exit())

function prepared(status: number, body: Buffer, more: string[] = []) {
  const quota = { limit: 700, remaining: 668, resetSeconds: 27 }
  const contentType = 'application/json; charset=utf-8'
  const lines = headerLines({ status, contentType, body: body.toString('latin1') }, quota).flat()
  return { status, head: [...lines, ...more, 'Content-Length', String(body.length)], body }
}

function answer(response: ServerResponse, { status, head, body }: ReturnType<typeof prepared>): void {
  response.writeHead(status, head).end(body)
}
