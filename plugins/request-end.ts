import type { FastifyReply, FastifyRequest, RequestKind } from 'fastify'
import plugin from 'fastify-plugin'
import type { ProblemCode } from '../src/problems/catalogue.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Successes are logged at debug: probes would drown everything else. */
    quiet?: boolean
  }
  interface FastifyInstance {
    /** Calls the listener once per request: when its answer has been sent, or when its client has left without one. */
    onRequestEnd: (
      listener: (request: FastifyRequest, reply: FastifyReply, kind: RequestKind) => void,
    ) => void
  }
  /**
   * Attributes shared by requests with the same outcome; one object per combination, and a bounded number of them, so that
   * a listener can cache what it derives from one.
   */
  interface RequestKind {
    method: string
    /** The pattern of the route, never the URL; empty where no route matched. */
    route: string
    /** Undefined where the client left before its answer was sent. */
    status: number | undefined
    /** Of the problem that was answered. */
    code: ProblemCode | undefined
    quiet: boolean
  }
}

/** Reports the end of each request to the log, metrics and traces. */
export default plugin(
  (app, _options, done) => {
    const listeners: Parameters<typeof app.onRequestEnd>[0][] = []
    const kinds = new Kinds()
    app.decorate('onRequestEnd', (listener) => {
      listeners.push(listener)
    })
    app.addHook('onRequest', (request, reply, next) => {
      // Unlike the hook onResponse, `close` also happens where the client left before its answer.
      reply.raw.once('close', () => {
        const kind = kinds.of(request, reply)
        for (const listener of listeners) listener(request, reply, kind)
      })
      next()
    })
    done()
  },
  { name: 'request-end' },
)

class Kinds {
  readonly #known = new Map<string, RequestKind>()
  #last: RequestKind | undefined

  of({ method, routeOptions, problem }: FastifyRequest, { raw, statusCode }: FastifyReply): RequestKind {
    const { url: route = '', config } = routeOptions
    const status = raw.writableFinished ? statusCode : undefined
    const code = problem?.code
    // Under load most requests end like the one before, and comparing is cheaper than building a key.
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
