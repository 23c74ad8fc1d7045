import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { placeOf } from '../src/error-place.js'
import { Problem, problemDocument, problemHeaders } from '../src/problems.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** What was answered, where it was no success. */
    problem: Problem | undefined
  }
}

/** The one mouth: every answer that is no success is written here, as `application/problem+json` (RFC 9457). */
export default plugin(
  (app, _options, done) => {
    app.decorateRequest('problem', undefined)
    app.setErrorHandler((error: unknown, request, reply) => {
      answer(toProblem(error), request, reply)
    })
    done()
  },
  { name: 'error-handler' },
)

/** For what Fastify refuses before a route is found: a URL that cannot be decoded. */
export function onFrameworkError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  // Hooks do not run for these, so the header that every answer has is set here.
  reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff')
  answer(toProblem(error), request, reply)
  request.server.log.info(
    { requestId: request.id, code: 'malformed-request', status: 400 },
    'request refused',
  )
}

/** For what Node's parser refuses: there is no request yet, only a socket. */
export function onClientError(this: FastifyInstance, error: ParserError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy()
    return
  }
  const problem = parserProblem(error.code)
  const requestId = randomUUID()
  const body = JSON.stringify(problemDocument(problem, requestId, this.config.publicUrl))
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
  this.log[level]({ requestId, code: problem.code, status: problem.status }, 'request refused')
}

/** A second answer would be taken for that to another request; Node's own handler looks at the same two fields. */
function isAnswering(socket: Socket & { _httpMessage?: { _headerSent?: boolean } | null }): boolean {
  return socket._httpMessage?._headerSent === true
}

interface ParserError extends Error {
  code?: string
}

function answer(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  request.problem = problem
  if (problem.code === 'internal-error') {
    request.server.log.error({ requestId: request.id, ...placeOf(problem.cause) }, 'internal error')
  }
  // As bytes: to a string Fastify would add a charset, a parameter that this media type does not have (RFC 9457, section 6.1).
  reply
    .code(problem.status)
    .headers(problemHeaders(problem))
    .send(Buffer.from(JSON.stringify(problemDocument(problem, request.id, request.server.config.publicUrl))))
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  // Fastify and its plugins mark what the client did wrong by a status below 500.
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  if (status === 404) return new Problem('not-found', { cause: error })
  if (status === 413 || status === 414 || status === 431)
    return new Problem('request-too-large', { status, cause: error })
  if (status === 408) return new Problem('request-timeout', { cause: error })
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new Problem('malformed-request', { cause: error })
  return new Problem('internal-error', { cause: error })
}

function parserProblem(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Problem('request-timeout')
  if (code === 'HPE_HEADER_OVERFLOW') return new Problem('request-too-large', { status: 431 })
  return new Problem('malformed-request')
}
