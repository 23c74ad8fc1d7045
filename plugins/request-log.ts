import type { FastifyBaseLogger, FastifyReply, FastifyRequest, RequestEnd } from 'fastify'
import plugin from 'fastify-plugin'

/** One line per request, of chosen fields only: a URL, a header or a body may hold a secret. */
export default plugin(
  (app, _options, done) => {
    app.onRequestEnd((request, reply, end) => {
      write(app.log, request, reply, end)
    })
    done()
  },
  { name: 'request-log', dependencies: ['request-ends'] },
)

function write(log: FastifyBaseLogger, request: FastifyRequest, reply: FastifyReply, end: RequestEnd): void {
  if (!end.answered) log.info({ ...fields(request, reply, end), status: undefined }, 'caller left')
  else if (end.quiet && reply.statusCode < 400) log.debug(fields(request, reply, end), 'request')
  else log.info(fields(request, reply, end), 'request')
}

function fields(request: FastifyRequest, reply: FastifyReply, { route }: RequestEnd): object {
  const { problem } = request
  return {
    requestId: request.id,
    method: request.method,
    route: route === '' ? undefined : route,
    status: reply.statusCode,
    code: problem?.code,
    retryAfter: problem?.retryAfter,
    waitsFor: problem?.waitsFor,
    caller: request.caller,
    durationMs: round(reply.elapsedTime),
    zendesk: problem?.zendesk ?? (request.zendeskMs === undefined ? undefined : { status: 200 }),
    zendeskMs: round(problem?.zendeskMs ?? request.zendeskMs),
  }
}

function round(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds * 10) / 10
}
