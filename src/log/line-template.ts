import { pino, type Logger } from 'pino'

/**
 * For lines that come with every request. pino writes the fields that all of them share once, into a child; looking at each
 * of the other fields costs it more than the rest of the line, so they are added as JSON. Gives the function that writes one.
 */
export function lineTemplate(
  logger: Logger,
  level: 'debug' | 'info',
  shared: object,
  message: string,
): (own: { requestId: string }) => void {
  const child = logger.child(shared)
  // pino exports these symbols, but not the types of what they stand for.
  const parts = child as unknown as PinoParts
  const head = parts[pino.symbols.lsCacheSym][child.levels.values[level] ?? 0] ?? ''
  const bindings = parts[pino.symbols.chindingsSym]
  const time = parts[pino.symbols.timeSym]
  const stream = parts[pino.symbols.streamSym]
  return (own) => {
    if (!child.isLevelEnabled(level)) return
    const fields = JSON.stringify(own).slice(1, -1)
    stream.write(`${head}${time()}${bindings},${fields},"msg":"${message}"}\n`)
  }
}

interface PinoParts {
  /** How a line begins, by level. */
  [pino.symbols.lsCacheSym]: Record<number, string>
  [pino.symbols.timeSym]: () => string
  [pino.symbols.chindingsSym]: string
  [pino.symbols.streamSym]: { write: (line: string) => void }
}
