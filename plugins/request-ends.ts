import type { FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Has the listener told of every request when its answer is out, or when its caller has left without one. */
    onRequestEnd: (listener: RequestEndListener) => void
  }
}

export type RequestEndListener = (request: FastifyRequest, reply: FastifyReply, answered: boolean) => void

/** The end of a request, for those who keep a record of it: log and metrics. */
export default plugin(
  (app, _options, done) => {
    const listeners: RequestEndListener[] = []
    app.decorate('onRequestEnd', (listener) => {
      listeners.push(listener)
    })
    app.addHook('onRequest', (request, reply, next) => {
      // Unlike onResponse, `close` also tells of callers who left before their answer.
      reply.raw.once('close', () => {
        for (const listener of listeners) listener(request, reply, reply.raw.writableFinished)
      })
      next()
    })
    done()
  },
  { name: 'request-ends' },
)
