import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import { Problem, problemDocument, problemHeaders } from '../src/problems/problem.js'
import type { Sockets } from '../src/sockets/sockets.js'
import { errorCode } from '../src/log/error-place.js'

declare module 'fastify' {
  interface FastifyInstance {
    sockets: Sockets
  }
}

const refused = new WeakSet<Socket>()

/** Answers where there is no request, only a socket: bytes that Node's parser refuses, and CONNECT. */
export default plugin<{ sockets: Sockets }>(
  (app, { sockets }, done) => {
    app.decorate('sockets', sockets)
    app.server.on('connect', (_request, socket: Socket) => {
      refuseInOrder(app, new Problem('malformed-request'), socket)
    })
    app.addHook('onListen', (next) => {
      // An error of the listener itself, such as one of accept(2), must not end the process.
      app.server.on('error', (error) => {
        app.log.error({ errorCode: errorCode(error) }, 'listener failed')
      })
      next()
    })
    done()
  },
  { name: 'sockets', dependencies: ['error-handler'] },
)

/** For Fastify's option `clientErrorHandler`. */
export function onClientError(this: FastifyInstance, error: Error, socket: Socket): void {
  // Whatever still comes after the bytes that were refused is refused with them.
  if (refused.has(socket)) return
  refused.add(socket)
  const code = errorCode(error)
  if (code === 'ECONNRESET') socket.destroy()
  else refuseInOrder(this, parserProblem(code), socket)
}

/** Valid pipelined requests are answered before the bad one is refused. */
function refuseInOrder(app: FastifyInstance, problem: Problem, socket: Socket): void {
  const inFlight = app.sockets.inFlight(socket)
  const last = inFlight.at(-1)
  const isLastBad = last?.req.complete === false
  const before = isLastBad ? inFlight.at(-2) : last
  const settle = () => {
    // It was answered without its body, and a second answer would be taken for that to another request.
    if (isLastBad && last.headersSent) socket.destroySoon()
    else refuse(app, problem, socket)
  }
  if (before) before.once('close', settle)
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
    ...app.answerHeaders(requestId),
    ...problemHeaders(problem),
    'content-length': String(Buffer.byteLength(body)),
    date: new Date().toUTCString(),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const head = [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`, ...lines].join('\r\n')
  socket.end(`${head}\r\n\r\n${body}`, () => {
    socket.destroySoon()
  })
  // Browsers open connections ahead of need, and many are never used.
  const level = socket.bytesRead === 0 ? 'debug' : 'info'
  app.log[level]({ requestId, code: problem.code, status: problem.status }, 'request refused')
}

function parserProblem(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Problem('request-timeout')
  if (code === 'HPE_HEADER_OVERFLOW') return new Problem('request-too-large', { status: 431 })
  return new Problem('malformed-request')
}
