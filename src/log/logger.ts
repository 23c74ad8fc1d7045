import { writeSync } from 'node:fs'
import { pino, type Logger } from 'pino'
import { LineBuffer, nonBlocking, type LossObserver } from './line-buffer.js'

/** A logger and what became of its lines. */
export interface Log {
  logger: Logger
  lines: LineBuffer
}

/** JSON lines on standard output, or readable ones where a person looks at a terminal. */
export async function createLog(level: string): Promise<Log> {
  const observer: LossObserver = {
    failing(reason) {
      tellOperator(`the log cannot be written (${reason}): lines wait, and above 4 MiB are dropped`)
    },
    unwritten(count, reason) {
      tellOperator(`${count} log lines could not be written before the exit (${reason})`)
    },
    lost(dropped, errorCode) {
      logger.warn({ dropped, errorCode }, 'log lines were dropped')
    },
  }
  const lines = new LineBuffer(observer)
  const options = {
    level,
    base: { service: 'zendesk-session-proxy' },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp,
  }
  const logger = pino(options, process.stdout.isTTY ? await forTerminal(lines) : lines)
  return { logger, lines }
}

async function forTerminal(lines: LineBuffer) {
  const { readableLine } = await import('./readable-line.js')
  return {
    write(line: string) {
      lines.write(readableLine(line))
    },
    flush(done: () => void) {
      lines.flush(done)
    },
  }
}

let standardError: number | undefined

/** On standard error, at once and without blocking. */
function tellOperator(text: string): void {
  standardError ??= nonBlocking(2)
  try {
    writeSync(standardError, `zendesk-session-proxy: ${text}\n`)
  } catch {
    // It fails as the log does.
  }
}

/**
 * Fastify makes a child of its logger for each request, which costs more than the rest of the log, and looks a factory's
 * child over each time. This logger is its own child.
 */
export function withoutChildren<L extends object>(log: L): L {
  const own: L = Object.assign(Object.create(log) as L, { child: () => own })
  return own
}

let lastMs = 0
let lastText = ''

/** RFC 3339. Under load many lines fall into one millisecond. */
function timestamp(): string {
  const now = Date.now()
  if (now !== lastMs) {
    lastMs = now
    lastText = `,"time":"${new Date(now).toISOString()}"`
  }
  return lastText
}
