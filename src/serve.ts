import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.js'
import { readConfig } from './config/read.js'
import { startWarnings } from './config/warnings.js'
import { createLogger } from './logger.js'
import { placeOf } from './error-place.js'

/** The process: reads the environment, listens, and ends well. Resolves once it listens. */
export async function serve(environment: NodeJS.ProcessEnv): Promise<FastifyInstance> {
  const config = await readConfig(environment)
  const log = await createLogger(config.LOG_LEVEL)
  for (const warning of startWarnings(config, Object.keys(environment))) log.warn(warning)

  const app = await buildApp(config, log)
  closeWithGrace(
    {
      delay: config.SHUTDOWN_DELAY_MS + config.SHUTDOWN_GRACE_MS,
      logger: false,
      // A process that could not listen ends by itself, with the exit code that says so.
      skip: ['beforeExit'],
      onTimeout: () => {
        log.error('stopped, although requests were in flight: SHUTDOWN_GRACE_MS is over')
      },
      onSecondSignal: (signal) => {
        log.error({ signal }, 'stopped at once')
      },
    },
    async ({ signal, err }) => {
      if (err) log.fatal(placeOf(err), 'stopping after an error that nobody caught')
      else log.info({ signal }, 'stopping')
      await app.lifecycle.drain(config.SHUTDOWN_DELAY_MS)
      await app.close()
      log.info('stopped')
    },
  )
  await app.listen({ host: config.HOST, port: config.PORT })
  return app
}
