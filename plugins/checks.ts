import type { FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import type { Problem } from '../src/problems/problem.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Adds a check behind those added before. */
    addCheck: (check: Check) => void
  }
}

/** Looks at a request before its route does, without waiting; may set headers. Gives what to answer, or that it has answered. */
export type Check = (request: FastifyRequest, reply: FastifyReply) => Problem | 'answered' | undefined

/** Runs the checks in the order in which they were added: one hook for all, since every hook costs every request. */
export default plugin(
  (app, _options, done) => {
    const checks: Check[] = []
    app.decorate('addCheck', (check) => {
      checks.push(check)
    })
    app.addHook('onRequest', (request, reply, next) => {
      for (const check of checks) {
        const outcome = check(request, reply)
        if (outcome === undefined) continue
        if (outcome !== 'answered') next(outcome)
        return
      }
      next()
    })
    done()
  },
  { name: 'checks', dependencies: ['error-handler'] },
)
