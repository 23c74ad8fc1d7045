import type { FastifyReply, FastifyRequest, RequestKind } from 'fastify'
import plugin from 'fastify-plugin'
import type { Logger } from 'pino'
import { lineTemplate } from '../src/log/line-template.js'

export interface RequestLogOptions {
  /** The logger itself: what Fastify makes of it has no children. */
  log: Logger
}

/** One line per request, of chosen fields only: a URL, a header or a body may hold a secret. */
export default plugin<RequestLogOptions>(
  (app, { log }, done) => {
    const templates = new Map<RequestKind, ReturnType<typeof lineTemplate>>()
    app.onRequestEnd((request, reply, kind) => {
      let write = templates.get(kind)
      if (!write) {
        const isProbe = kind.quiet && kind.status !== undefined && kind.status < 400
        const message = kind.status === undefined ? 'caller left' : 'request'
        write = lineTemplate(log, isProbe ? 'debug' : 'info', sharedFields(kind), message)
        templates.set(kind, write)
      }
      write(ownFields(request, reply))
    })
    done()
  },
  { name: 'request-log', dependencies: ['request-end', 'tracing'] },
)

function sharedFields({ method, route, status, code }: RequestKind): object {
  return { method, route: route === '' ? undefined : route, status, code }
}

function ownFields({ id, caller, problem, zendeskMs, trace }: FastifyRequest, reply: FastifyReply) {
  return {
    requestId: id,
    caller: caller?.name,
    callerKey: caller?.keyId,
    ...problem?.logged,
    durationMs: round(reply.elapsedTime),
    zendeskMs: round(problem?.zendeskMs ?? zendeskMs),
    zendesk: problem?.zendesk ?? (zendeskMs === undefined ? undefined : RENEWED),
    retryAfter: problem?.retryAfter,
    waitsFor: problem?.waitsFor,
    ...trace,
  }
}

/** What Zendesk said to a renewal that succeeded. */
const RENEWED = { status: 200 }

function round(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds * 10) / 10
}
