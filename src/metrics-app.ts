import Fastify, { type FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import bodies from '../plugins/bodies.js'
import clientErrors, { onClientError } from '../plugins/client-errors.js'
import connections from '../plugins/connections.js'
import errorHandler, { onFrameworkError } from '../plugins/error-handler.js'
import notFound from '../plugins/not-found.js'
import requestIds, { requestId } from '../plugins/request-ids.js'
import wellFormed from '../plugins/well-formed.js'
import type { Config } from './config/config.js'
import { SOCKET_LIMITS } from './socket-limits.js'

/** The other assembly: `/metrics` and nothing else; what goes wrong is said by the same mouth as everywhere. */
export async function buildMetricsApp(registry: Registry, config: Config): Promise<FastifyInstance> {
  const app = Fastify({
    logger: false,
    forceCloseConnections: true,
    genReqId: requestId,
    frameworkErrors: onFrameworkError,
    clientErrorHandler: onClientError,
    ...SOCKET_LIMITS,
  })
  app.decorate('config', config)
  await app.register(errorHandler)
  await app.register(connections)
  await app.register(clientErrors)
  await app.register(requestIds)
  await app.register(wellFormed)
  await app.register(bodies)
  await app.register(notFound)
  app.get('/metrics', async (_request, reply) => {
    reply.type(registry.contentType)
    return registry.metrics()
  })
  return app
}
