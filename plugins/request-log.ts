import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'

/** One line per request, of chosen fields only: a URL, a header or a body may hold a secret. */
export default plugin(
  (app, _options, done) => {
    app.onRequestEnd((request, reply, answered) => {
      write(app.log, request, reply, answered)
    })
    done()
  },
  { name: 'request-log', dependencies: ['request-ends'] },
)

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Logged at debug while it succeeds: probes would drown everything else. */
    quiet?: boolean
  }
}

function write(
  log: FastifyBaseLogger,
  request: FastifyRequest,
  reply: FastifyReply,
  answered: boolean,
): void {
  if (!answered) log.info({ ...fields(request, reply), status: undefined }, 'caller left')
  else if (request.routeOptions.config.quiet && reply.statusCode < 400)
    log.debug(fields(request, reply), 'request')
  else log.info(fields(request, reply), 'request')
}

function fields(request: FastifyRequest, reply: FastifyReply): object {
  const { problem } = request
  return {
    requestId: request.id,
    method: request.method,
    route: request.routeOptions.url,
    status: reply.statusCode,
    code: problem?.code,
    retryAfter: problem?.retryAfter,
    caller: request.caller,
    durationMs: round(reply.elapsedTime),
    zendesk: problem?.zendesk ?? (request.zendeskMs === undefined ? undefined : { status: 200 }),
    zendeskMs: round(problem?.zendeskMs ?? request.zendeskMs),
  }
}

function round(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds * 10) / 10
}
