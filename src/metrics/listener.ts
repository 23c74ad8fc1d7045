import Fastify, { type FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import bodies from '../../plugins/bodies.js'
import errorHandler, { onClientError, onFrameworkError } from '../../plugins/error-handler.js'
import requestIds, { requestId } from '../../plugins/request-ids.js'
import wellFormed from '../../plugins/well-formed.js'
import type { Config } from '../config/config.js'
import { Problem } from '../problems.js'

/** Serves `/metrics` and nothing else; what goes wrong is said by the same mouth as everywhere. */
export async function metricsListener(registry: Registry, config: Config): Promise<FastifyInstance> {
  const listener = Fastify({
    logger: false,
    forceCloseConnections: true,
    genReqId: requestId,
    frameworkErrors: onFrameworkError,
    clientErrorHandler: onClientError,
    bodyLimit: 1024,
    http: { requireHostHeader: false },
  })
  listener.decorate('config', config)
  await listener.register(errorHandler)
  await listener.register(requestIds)
  await listener.register(wellFormed)
  await listener.register(bodies)
  listener.get('/metrics', async (_request, reply) => {
    reply.type(registry.contentType)
    return registry.metrics()
  })
  listener.setNotFoundHandler(({ url }) => {
    const known = url.split('?', 1)[0] === '/metrics'
    throw known ? new Problem('method-not-allowed', { allow: 'GET, HEAD' }) : new Problem('not-found')
  })
  return listener
}
