import type { FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { isLoopbackHost } from '../src/loopback.js'
import { Problem } from '../src/problems.js'

/** Keeps out pages of foreign origins and, in open mode, pages that reach us by a name of their own (DNS rebinding). */
export default plugin(
  (app, _options, done) => {
    const { callerKeys, jwt, corsOrigins, publicUrl, ALLOW_ANONYMOUS_CALLERS } = app.config
    const loopbackOnly = !callerKeys && !jwt && !ALLOW_ANONYMOUS_CALLERS
    const allowed = new Set(publicUrl === '' ? corsOrigins : [...corsOrigins, new URL(publicUrl).origin])

    app.addHook('onRequest', (request, _reply, next) => {
      const { origin } = request.headers
      const foreign = origin !== undefined && !allowed.has(origin) && origin !== ownOrigin(request)
      const misnamed = loopbackOnly && !isLoopbackHost(request.hostname)
      next(foreign || misnamed ? new Problem('origin-not-allowed') : undefined)
    })
    done()
  },
  { name: 'origins', dependencies: ['error-handler'] },
)

function ownOrigin(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`
}
