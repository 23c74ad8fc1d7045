import { setTimeout as delay } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { buildApp } from './app.js'
import { givenNames, readConfig } from './config/read.js'
import { startWarnings } from './config/warnings.js'
import { createLogger } from './logger.js'
import { placeOf } from './error-place.js'

/** What is closed behind the last answer (connections, the last spans) must not hold up the exit. */
const LONGEST_CLOSING_MS = 1_000

/** The process: reads the environment, listens, and ends well. Resolves once it listens. */
export async function serve(environment: NodeJS.ProcessEnv): Promise<FastifyInstance> {
  const config = await readConfig(environment)
  const log = await createLogger(config.LOG_LEVEL)
  for (const warning of startWarnings(config, givenNames(environment))) log.warn(warning)

  const app = await buildApp(config, log)
  closeWithGrace(
    {
      // Not its own limit, which knows nothing of requests: a short grace would end an idle service as though it had failed.
      delay: false,
      logger: false,
      // A process that could not listen ends by itself, with the exit code that says so.
      skip: ['beforeExit'],
      onSecondSignal: (signal) => {
        log.error({ signal }, 'stopped at once')
      },
    },
    async ({ signal, err }) => {
      if (err) log.fatal(placeOf(err), 'stopping after an error that nobody caught')
      else log.info({ signal }, 'stopping')
      await app.lifecycle.drain(config.SHUTDOWN_DELAY_MS)
      const closed = app.close()
      await Promise.race([closed, delay(config.SHUTDOWN_GRACE_MS)])
      const late = app.lifecycle.isBusy()
      if (late) log.error('stopped, although requests were in flight: SHUTDOWN_GRACE_MS is over')
      else await Promise.race([closed, delay(LONGEST_CLOSING_MS)])
      if (!late) log.info('stopped')
      await Promise.race([written(log), delay(LONGEST_CLOSING_MS)])
      if (late) process.exit(1)
    },
  )
  await app.listen({ host: config.HOST, port: config.PORT })
  return app
}

/** Resolves when every line is out, for a reader who is behind. */
function written(log: Logger): Promise<void> {
  return new Promise((resolve) => {
    log.flush(() => {
      resolve()
    })
  })
}
