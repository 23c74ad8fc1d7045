import type { FastifyReply, FastifyRequest, RequestKind } from 'fastify'
import plugin from 'fastify-plugin'
import type { ProblemCode } from '../src/problems/catalogue.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Logged at debug while it succeeds: probes would drown everything else. */
    quiet?: boolean
  }
  interface FastifyInstance {
    /** Has the listener told of every request when its answer is out, or when its caller has left without one. */
    onRequestEnd: (
      listener: (request: FastifyRequest, reply: FastifyReply, kind: RequestKind) => void,
    ) => void
  }
  /**
   * What requests have in common that ended alike. There is one object for each kind, and a bounded number of kinds; so a
   * listener can keep what it makes of one.
   */
  interface RequestKind {
    method: string
    /** The pattern of the route, never the URL; empty where no route matched. */
    route: string
    /** Undefined where the caller left before its answer was out. */
    status: number | undefined
    /** Of the problem that was answered. */
    code: ProblemCode | undefined
    quiet: boolean
  }
}

/** The end of a request, for those who keep a record of it: log, metrics and traces. */
export default plugin(
  (app, _options, done) => {
    const listeners: Parameters<typeof app.onRequestEnd>[0][] = []
    const kinds = new Kinds()
    app.decorate('onRequestEnd', (listener) => {
      listeners.push(listener)
    })
    app.addHook('onRequest', (request, reply, next) => {
      // Unlike onResponse, `close` also tells of callers who left before their answer.
      reply.raw.on('close', () => {
        const kind = kinds.of(request, reply)
        for (const listener of listeners) listener(request, reply, kind)
      })
      next()
    })
    done()
  },
  { name: 'request-ends' },
)

class Kinds {
  readonly #known = new Map<string, RequestKind>()
  #last: RequestKind | undefined

  of({ method, routeOptions, problem }: FastifyRequest, { raw, statusCode }: FastifyReply): RequestKind {
    const { url: route = '', config } = routeOptions
    const status = raw.writableFinished ? statusCode : undefined
    const code = problem?.code
    // Under load most requests end like the one before, and a look is cheaper than a key that has to be put together.
    const last = this.#last
    if (last?.route === route && last.status === status && last.code === code && last.method === method)
      return last
    const key = `${method} ${route} ${status ?? ''} ${code ?? ''}`
    const kind = this.#known.get(key) ?? { method, route, status, code, quiet: config.quiet === true }
    this.#known.set(key, kind)
    this.#last = kind
    return kind
  }
}
