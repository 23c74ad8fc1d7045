import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import { Problem, problemDocument, problemHeaders } from '../src/problems/problem.js'

const refused = new WeakSet<Socket>()

/** What is said where there is no request, only a socket: to bytes that Node's parser refuses, and to CONNECT. */
export default plugin(
  (app, _options, done) => {
    app.server.on('connect', (_request, socket: Socket) => {
      refuseInTurn(app, new Problem('malformed-request'), socket)
    })
    done()
  },
  { name: 'client-errors', dependencies: ['connections'] },
)

export function onClientError(this: FastifyInstance, error: ParserError, socket: Socket): void {
  // Whatever still comes after the bytes that were refused is refused with them.
  if (refused.has(socket)) return
  refused.add(socket)
  if (error.code === 'ECONNRESET') socket.destroy()
  else refuseInTurn(this, parserProblem(error.code), socket)
}

/** Who asked well before gets their answer first. */
function refuseInTurn(app: FastifyInstance, problem: Problem, socket: Socket): void {
  const last = app.connections.get(socket)
  const isLastWrong = last?.req.complete === false
  const owed = isLastWrong ? app.answerBefore(last) : last
  const settle = () => {
    // It was answered without its body, and a second answer would be taken for that to another request.
    if (isLastWrong && last.headersSent) socket.destroySoon()
    else refuse(app, problem, socket)
  }
  if (owed && !owed.writableFinished) owed.once('close', settle)
  else settle()
}

function refuse(app: FastifyInstance, problem: Problem, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const requestId = randomUUID()
  const body = JSON.stringify(problemDocument(problem, requestId, app.config.publicUrl))
  const headers = {
    ...problemHeaders(problem),
    'content-length': String(Buffer.byteLength(body)),
    'x-request-id': requestId,
    'x-content-type-options': 'nosniff',
    date: new Date().toUTCString(),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const head = [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`, ...lines].join('\r\n')
  socket.end(`${head}\r\n\r\n${body}`, () => {
    socket.destroySoon()
  })
  // Connections opened ahead of need, and never used, are no news.
  const level = socket.bytesRead === 0 ? 'debug' : 'info'
  app.log[level]({ requestId, code: problem.code, status: problem.status }, 'request refused')
}

interface ParserError extends Error {
  code?: string
}

function parserProblem(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Problem('request-timeout')
  if (code === 'HPE_HEADER_OVERFLOW') return new Problem('request-too-large', { status: 431 })
  return new Problem('malformed-request')
}
