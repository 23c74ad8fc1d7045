import Fastify, { type FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import bodies from '../plugins/bodies.js'
import checks from '../plugins/checks.js'
import errorHandler, { onFrameworkError } from '../plugins/error-handler.js'
import notFound from '../plugins/not-found.js'
import requestId, { chooseRequestId } from '../plugins/request-id.js'
import sockets, { onClientError } from '../plugins/sockets.js'
import wellFormed from '../plugins/well-formed.js'
import status, { type StatusOptions } from '../routes/status.js'
import type { Config } from './config/config.js'
import { METRICS_CONNECTIONS, SOCKET_LIMITS, UNREAD_ANSWER_MS } from './sockets/limits.js'
import { Sockets } from './sockets/sockets.js'

/** The other assembly: `/metrics` and `/status`, nothing else; errors are written as everywhere. */
export async function buildMetricsApp(
  registry: Registry,
  config: Config,
  options: StatusOptions,
): Promise<FastifyInstance> {
  const listener = new Sockets(UNREAD_ANSWER_MS, METRICS_CONNECTIONS)
  const app = Fastify({
    logger: false,
    forceCloseConnections: true,
    genReqId: chooseRequestId,
    serverFactory: listener.createServer,
    frameworkErrors: onFrameworkError,
    clientErrorHandler: onClientError,
    bodyLimit: SOCKET_LIMITS.bodyLimit,
  })
  app.decorate('config', config)
  await app.register(errorHandler)
  await app.register(sockets, { sockets: listener })
  await app.register(checks)
  await app.register(requestId)
  await app.register(wellFormed)
  await app.register(bodies)
  await app.register(notFound)
  app.get('/metrics', async (_request, reply) => {
    reply.type(registry.contentType)
    return registry.metrics()
  })
  await app.register(status, options)
  return app
}
