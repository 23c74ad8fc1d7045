import { pino, type Logger } from 'pino'
import { LogLines } from './log-lines.js'

/** JSON lines on standard output, or readable ones where a person looks at a terminal. */
export async function createLogger(level: string): Promise<Logger> {
  const options = { level, base: { service: 'zendesk-session-proxy' } }
  if (process.stdout.isTTY) {
    const { default: pretty } = await import('pino-pretty')
    return pino(options, pretty({ ignore: 'service', singleLine: true, translateTime: 'SYS:HH:MM:ss.l' }))
  }
  return pino({ ...options, timestamp }, new LogLines())
}

/**
 * Fastify makes a child of its logger for each request, which costs more than the rest of the log, and looks a factory's
 * child over each time. This logger is its own child.
 */
export function childless<L extends object>(log: L): L {
  const own: L = Object.assign(Object.create(log) as L, { child: () => own })
  return own
}

let writtenMs = 0
let written = ''

/** RFC 3339. Under load many lines fall into one millisecond. */
function timestamp(): string {
  const now = Date.now()
  if (now !== writtenMs) {
    writtenMs = now
    written = `,"time":"${new Date(now).toISOString()}"`
  }
  return written
}
