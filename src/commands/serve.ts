import { setTimeout as delay } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { buildApp } from '../app.js'
import type { Config } from '../config/config.js'
import { readConfig } from '../config/read.js'
import { placeOf } from '../log/error-place.js'
import { createLog, type Log } from '../log/logger.js'
import { startFailure } from './start-failure.js'

/** What is closed behind the last answer (connections, the last spans) must not hold up the exit. */
const LONGEST_CLOSING_MS = 1_000

/**
 * close-with-grace also listens to the signals of a native crash, which would then spin instead of ending the process. A
 * process that could not listen ends by itself, with the exit code that says so.
 */
const LEFT_TO_NODE: NonNullable<closeWithGrace.Options['skip']> = [
  ...(['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'beforeExit'] as const),
]

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/** Runs the service, or ends with one message that says why it cannot start. */
export async function serveProcess(environment: NodeJS.ProcessEnv): Promise<void> {
  try {
    await serve(environment)
  } catch (error) {
    // Exit at once: the connection to Redis, or the metrics listener, would keep a process alive that does not serve.
    process.stderr.write(`${startFailure(error, environment)}\n`, () => process.exit(1))
  }
}

/** The service as a process: reads the environment, listens, and ends well. Resolves once it listens. */
export async function serve(environment: NodeJS.ProcessEnv): Promise<FastifyInstance> {
  const config = await readConfig(environment)
  const log = await createLog(config.LOG_LEVEL)
  for (const warning of config.warnings) log.logger.warn(warning)

  const app = await buildApp(config, log.logger, log.lines)
  await app.listen({ host: config.HOST, port: config.PORT })
  endWell(app, config, log)
  // Nobody waits for it; what fails here fails again, and is told, at the first call.
  app.zendesk.prepare().catch(() => undefined)
  return app
}

/**
 * Takes over the signals from the entry of the program, whose listeners end the process at once. They go last: a signal that
 * waits to be delivered is lost where nobody listens, even for a moment.
 */
function endWell(app: FastifyInstance, config: Config, { logger }: Log): void {
  const atStart = SIGNALS.map((signal) => [signal, process.rawListeners(signal)] as const)
  closeWithGrace(
    {
      // Its own limit knows nothing of requests: a short grace would end an idle service as though it had failed.
      delay: false,
      logger: false,
      skip: LEFT_TO_NODE,
      onSecondSignal: (signal) => {
        logger.error({ signal }, 'stopped at once')
      },
    },
    async ({ signal, err }) => {
      if (err) logger.fatal(placeOf(err), 'stopping after an uncaught error')
      else logger.info({ signal }, 'stopping')
      await app.lifecycle.drain(config.SHUTDOWN_DELAY_MS)
      const closed = app.close()
      await Promise.race([closed, delay(config.SHUTDOWN_GRACE_MS)])
      const late = app.lifecycle.isBusy()
      if (late) logger.error('SHUTDOWN_GRACE_MS expired; aborted requests in flight')
      else await Promise.race([closed, delay(LONGEST_CLOSING_MS)])
      if (!late) logger.info('stopped')
      await Promise.race([written(logger), delay(LONGEST_CLOSING_MS)])
      if (late) process.exit(1)
    },
  )
  for (const [signal, listeners] of atStart)
    for (const listener of listeners) process.off(signal, listener as () => void)
}

/** Resolves when every line is written, also for a reader who is behind. */
function written(logger: Log['logger']): Promise<void> {
  return new Promise((resolve) => {
    logger.flush(() => {
      resolve()
    })
  })
}
