import type { FastifyBaseLogger, FastifyReply, FastifyRequest, RequestKind } from 'fastify'
import plugin from 'fastify-plugin'

export interface RequestLogOptions {
  /** The logger itself: what Fastify makes of it has no children. */
  log: FastifyBaseLogger
}

/** One line per request, of chosen fields only: a URL, a header or a body may hold a secret. */
export default plugin<RequestLogOptions>(
  (app, { log }, done) => {
    const logs = new Map<RequestKind, FastifyBaseLogger>()
    app.onRequestEnd((request, reply, kind) => {
      let lines = logs.get(kind)
      if (!lines) {
        lines = log.child(commonFields(request, kind))
        logs.set(kind, lines)
      }
      if (kind.status === undefined)
        lines.info({ ...ownFields(request, reply), ...renewed(request) }, 'caller left')
      else if (kind.quiet && kind.status < 400) lines.debug(ownFields(request, reply), 'request')
      else lines.info(ownFields(request, reply), 'request')
    })
    done()
  },
  { name: 'request-log', dependencies: ['request-end', 'tracing'] },
)

/** What is the same for all requests of a kind; written out once, by a logger of its own. */
function commonFields(request: FastifyRequest, { method, route, status, code }: RequestKind): object {
  return {
    method,
    route: route === '' ? undefined : route,
    status,
    code,
    ...(status === 200 && renewed(request)),
  }
}

/** What Zendesk said to a renewal that succeeded. */
function renewed({ zendeskMs }: FastifyRequest): object | undefined {
  return zendeskMs === undefined ? undefined : { zendesk: { status: 200 } }
}

function ownFields({ id, caller, problem, zendeskMs, trace }: FastifyRequest, reply: FastifyReply): object {
  return {
    requestId: id,
    caller,
    durationMs: round(reply.elapsedTime),
    zendeskMs: round(problem?.zendeskMs ?? zendeskMs),
    zendesk: problem?.zendesk,
    retryAfter: problem?.retryAfter,
    waitsFor: problem?.waitsFor,
    ...trace,
  }
}

function round(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds * 10) / 10
}
