import accepts from '@fastify/accepts'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { placeOf } from '../src/log/error-place.js'
import { PAGE_POLICY } from '../src/page.js'
import { notFoundPage } from '../src/problems/pages.js'
import { answerHeaders, Problem, problemDocument, problemHeaders } from '../src/problems/problem.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The headers that every answer carries, whatever writes it. */
    answerHeaders: (requestId: string) => Record<string, string>
  }
  interface FastifyRequest {
    /** The problem that was answered. */
    problem: Problem | undefined
  }
}

/**
 * The error writer: every error response is written here, as `application/problem+json` (RFC 9457). Only a person who opens
 * a path that does not exist gets a page.
 */
export default plugin(
  async (app) => {
    await app.register(accepts)
    app.decorateRequest('problem', undefined)
    app.decorate('answerHeaders', answerHeaders)
    app.setErrorHandler((error: unknown, request, reply) => {
      answer(toProblem(error), request, reply)
    })
  },
  { name: 'error-handler' },
)

/** For Fastify's option `frameworkErrors`: what it refuses before it looks for a route, a URL that cannot be decoded. */
export function onFrameworkError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  // Hooks do not run for these, so the headers that every answer carries are set here.
  reply.headers(request.server.answerHeaders(request.id))
  answer(toProblem(error), request, reply)
  request.server.log.info(
    { requestId: request.id, code: 'malformed-request', status: 400 },
    'request refused',
  )
}

function answer(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  request.problem = problem
  if (problem.code === 'internal-error') {
    request.server.log.error(
      { requestId: request.id, ...placeOf(problem.cause), ...request.trace },
      'internal error',
    )
  }
  if (problem.code === 'not-found' && request.type(['json', 'html']) === 'html') {
    sendNotFoundPage(request, reply)
    return
  }
  // Fastify would close on a body that is too large, and a client still sending it would never read this. Node drops the rest.
  if (problem.status === 413) reply.removeHeader('connection')
  // As bytes: to a string Fastify would add a charset, which this media type does not have (RFC 9457, section 6.1).
  reply
    .code(problem.status)
    .headers(problemHeaders(problem))
    .send(Buffer.from(JSON.stringify(problemDocument(problem, request.id, request.server.config.publicUrl))))
}

function sendNotFoundPage({ id, server }: FastifyRequest, reply: FastifyReply): void {
  const { publicPath, DOCS } = server.config
  // The listener for metrics has none of the pages that it would link to.
  const links = server.hasRoute({ method: 'GET', url: '/problems' })
    ? { root: publicPath, hasDocs: DOCS }
    : undefined
  reply
    .code(404)
    .headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': PAGE_POLICY })
    .send(Buffer.from(notFoundPage({ requestId: id }, links)))
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  // Fastify and its plugins mark the client's mistakes by a status below 500.
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  if (status === 404) return new Problem('not-found', { cause: error })
  if (status === 413 || status === 414 || status === 431)
    return new Problem('request-too-large', { status, cause: error })
  if (status === 408) return new Problem('request-timeout', { cause: error })
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new Problem('malformed-request', { cause: error })
  return new Problem('internal-error', { cause: error })
}
