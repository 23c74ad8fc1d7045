import plugin from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Logged at debug while it succeeds: probes would drown everything else. */
    quiet?: boolean
  }
  interface FastifyInstance {
    /** Has the listener told of every request when its answer is out, or when its caller has left without one. */
    onRequestEnd: (listener: (request: FastifyRequest, reply: FastifyReply, end: RequestEnd) => void) => void
  }
  interface RequestEnd {
    /** The pattern of the route, never the URL; empty where no route matched. */
    route: string
    quiet: boolean
    /** False where the caller left before its answer was out. */
    answered: boolean
  }
}

/** The end of a request, for those who keep a record of it: log and metrics. */
export default plugin(
  (app, _options, done) => {
    const listeners: Parameters<typeof app.onRequestEnd>[0][] = []
    app.decorate('onRequestEnd', (listener) => {
      listeners.push(listener)
    })
    app.addHook('onRequest', (request, reply, next) => {
      // Unlike onResponse, `close` also tells of callers who left before their answer.
      reply.raw.on('close', () => {
        // Fastify makes the route's options anew each time they are asked for.
        const { url = '', config } = request.routeOptions
        const end = { route: url, quiet: config.quiet === true, answered: reply.raw.writableFinished }
        for (const listener of listeners) listener(request, reply, end)
      })
      next()
    })
    done()
  },
  { name: 'request-ends' },
)
