import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import bodies from '../plugins/bodies.js'
import callers from '../plugins/callers.js'
import checks from '../plugins/checks.js'
import contract from '../plugins/contract.js'
import cors from '../plugins/cors.js'
import errorHandler, { onFrameworkError } from '../plugins/error-handler.js'
import lifecycle from '../plugins/lifecycle.js'
import metrics from '../plugins/metrics.js'
import notFound from '../plugins/not-found.js'
import origins from '../plugins/origins.js'
import overload from '../plugins/overload.js'
import redis from '../plugins/redis.js'
import requestEnd from '../plugins/request-end.js'
import requestId, { chooseRequestId } from '../plugins/request-id.js'
import requestLog from '../plugins/request-log.js'
import sockets, { onClientError } from '../plugins/sockets.js'
import tls from '../plugins/tls.js'
import tracing from '../plugins/tracing.js'
import wellFormed from '../plugins/well-formed.js'
import zendesk from '../plugins/zendesk.js'
import docs from '../routes/docs.js'
import health from '../routes/health.js'
import problems from '../routes/problems.js'
import session from '../routes/session.js'
import { trustOf } from './callers/network.js'
import type { Config } from './config/config.js'
import { withoutChildren } from './log/logger.js'
import { connectionLimit, SOCKET_LIMITS, UNREAD_ANSWER_MS } from './sockets/limits.js'
import { Sockets } from './sockets/sockets.js'

declare module 'fastify' {
  interface FastifyInstance {
    logLoss: LogLoss
  }
}

/** What became of the log's lines. */
export interface LogLoss {
  /** Lines that could not be written. */
  readonly dropped: number
}

/** The service, assembled; it does not listen yet. */
export async function buildApp(
  config: Config,
  log: Logger,
  logLoss: LogLoss = { dropped: 0 },
): Promise<FastifyInstance> {
  const listener = new Sockets(
    config.ZENDESK_TIMEOUT_MS + UNREAD_ANSWER_MS,
    connectionLimit(config.tls !== undefined),
    config.tls,
  )
  const app = Fastify({
    loggerInstance: withoutChildren<FastifyBaseLogger>(log),
    // Our own line per request says more.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: chooseRequestId,
    trustProxy: config.trustedProxies.length > 0 && trustOf(config.trustedProxies),
    serverFactory: listener.createServer,
    // Fastify only names its address by it: the server is ours.
    ...(config.tls && { https: {} }),
    frameworkErrors: onFrameworkError,
    clientErrorHandler: onClientError,
    return503OnClosing: false,
    bodyLimit: SOCKET_LIMITS.bodyLimit,
  })
  app.decorate('config', config)
  app.decorate('logLoss', logLoss)

  // What writes errors, and what is told how each request ended.
  await app.register(errorHandler)
  await app.register(sockets, { sockets: listener })
  await app.register(tls)
  await app.register(requestEnd)
  await app.register(tracing)
  await app.register(requestLog, { log })

  // What every request passes before its route, in this order.
  await app.register(checks)
  await app.register(requestId)
  await app.register(cors)
  await app.register(lifecycle)
  await app.register(wellFormed)
  await app.register(overload)
  await app.register(bodies)
  await app.register(origins)
  await app.register(notFound)

  // What routes ask for.
  await app.register(contract)
  await app.register(redis)
  await app.register(callers)
  await app.register(zendesk)
  await app.register(metrics)

  await app.register(session)
  await app.register(health)
  await app.register(problems)
  if (config.DOCS) await app.register(docs)
  return app
}
