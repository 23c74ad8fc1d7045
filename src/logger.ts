import { pino, type Logger } from 'pino'
import pretty from 'pino-pretty'

/** JSON lines on standard output, or readable ones where a person looks at a terminal. */
export function createLogger(level: string): Logger {
  const options = { level, base: { service: 'zendesk-session-proxy' } }
  if (process.stdout.isTTY)
    return pino(options, pretty({ ignore: 'service', translateTime: 'SYS:HH:MM:ss.l' }))
  // Not synchronous: lines that come while one is being written go out together. pino writes the rest at exit.
  return pino(
    { ...options, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    pino.destination({ sync: false }),
  )
}
