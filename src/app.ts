import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import bodies from '../plugins/bodies.js'
import callerAuth from '../plugins/caller-auth.js'
import callerLimits from '../plugins/caller-limits.js'
import clientErrors, { onClientError } from '../plugins/client-errors.js'
import connections from '../plugins/connections.js'
import contract from '../plugins/contract.js'
import cors from '../plugins/cors.js'
import docs from '../plugins/docs.js'
import errorHandler, { onFrameworkError } from '../plugins/error-handler.js'
import lifecycle from '../plugins/lifecycle.js'
import metrics from '../plugins/metrics.js'
import notFound from '../plugins/not-found.js'
import origins from '../plugins/origins.js'
import overload from '../plugins/overload.js'
import redis from '../plugins/redis.js'
import requestEnds from '../plugins/request-ends.js'
import requestIds, { requestId } from '../plugins/request-ids.js'
import requestLog from '../plugins/request-log.js'
import tracing from '../plugins/tracing.js'
import wellFormed from '../plugins/well-formed.js'
import zendesk from '../plugins/zendesk.js'
import health from '../routes/health.js'
import problems from '../routes/problems.js'
import session from '../routes/session.js'
import type { Config } from './config/config.js'
import { childless } from './logger.js'
import { SOCKET_LIMITS } from './socket-limits.js'

/** The service, assembled; it does not listen yet. The order is that in which a request meets the parts. */
export async function buildApp(config: Config, log: FastifyBaseLogger): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: childless(log),
    // Our own line per request says more.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestId,
    trustProxy: config.trustedProxies.length > 0 ? config.trustedProxies : false,
    frameworkErrors: onFrameworkError,
    clientErrorHandler: onClientError,
    return503OnClosing: false,
    ...SOCKET_LIMITS,
  })
  app.decorate('config', config)

  await app.register(errorHandler)
  await app.register(connections)
  await app.register(clientErrors)
  await app.register(requestEnds)
  await app.register(requestLog, { log })
  await app.register(tracing)
  await app.register(requestIds)
  await app.register(cors)
  await app.register(lifecycle)
  await app.register(wellFormed)
  await app.register(overload)
  await app.register(bodies)
  await app.register(contract)
  await app.register(notFound)
  await app.register(origins)
  await app.register(redis)
  await app.register(callerLimits)
  await app.register(callerAuth)
  await app.register(zendesk)
  await app.register(metrics)

  await app.register(session)
  await app.register(health)
  await app.register(problems)
  if (config.DOCS) await app.register(docs)
  return app
}
