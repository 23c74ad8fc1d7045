import { createHash } from 'node:crypto'
import { EventEmitter } from 'node:events'
import type { RedisConfig } from '../config/redis.js'
import { BackOff } from './back-off.js'
import type { RedisConnection } from './connection.js'
import { RedisError } from './redis-error.js'
import type { RedisScript } from './script.js'

/** The start waits this long for Redis, in milliseconds, and goes on without it. */
const START_MS = 2_000

/**
 * What replicas share. Any failure, of the connection or of a reply, ends the connection; a new one is tried in the
 * background until it passes its check. Meanwhile `run` gives undefined at once, and callers count for themselves.
 */
export class RedisClient extends EventEmitter<{
  /** Sharing has ended, or has not begun. Once per outage and reason. */
  failure: [RedisError]
  /** Sharing has ended. */
  lost: []
  /** Sharing has begun, at the start or again. */
  connected: [server: string]
}> {
  readonly #config: RedisConfig
  readonly #prefix: string
  readonly #backOff = new BackOff()
  readonly #closing = new AbortController()
  readonly #told = new Set<string>()
  #connection: RedisConnection | undefined
  #failure: RedisError | undefined

  /** @param origin of the Zendesk account: services for different accounts share nothing. */
  constructor(config: RedisConfig, origin: string) {
    super()
    this.#config = config
    this.#prefix = prefixOf(origin)
  }

  get connected(): boolean {
    return this.#connection !== undefined
  }

  /** Why replicas share nothing right now; undefined where they do, or where the first attempt is under way. */
  get failure(): RedisError | undefined {
    return this.#failure
  }

  /** Resolves once the first attempt is over, or takes too long. */
  async start(): Promise<void> {
    const limit = AbortSignal.timeout(START_MS)
    const settled = new Promise<void>((resolve) => {
      this.once('connected', () => {
        resolve()
      }).once('failure', () => {
        resolve()
      })
      limit.addEventListener('abort', () => {
        resolve()
      })
    })
    void this.#keepConnected()
    await settled
  }

  /** What the script returned; undefined where replicas share nothing right now. */
  async run(script: RedisScript, key: string, values: (string | number)[]): Promise<unknown> {
    const connection = this.#connection
    if (!connection) return undefined
    try {
      return await connection.run(script, this.#prefix + key, values)
    } catch (error) {
      // At once, so that no other call waits for the same failure.
      this.#drop(connection)
      connection.end(RedisError.from(error, connection.server))
      return undefined
    }
  }

  /** For a changed address: leaves the old server, without a word, for the new one. */
  reconnect(): void {
    const connection = this.#connection
    this.#connection = undefined
    connection?.end()
  }

  close(): void {
    this.#closing.abort()
    this.reconnect()
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      const failures = await this.#connectOnce()
      for (const failure of failures) this.#tell(failure)
      await this.#backOff.wait(signal)
    }
  }

  /** One connection, from the attempt to its end; resolves with what ended it or kept it from beginning. */
  async #connectOnce(): Promise<RedisError[]> {
    // Imported only where it is used: most services run without Redis, and it costs memory and time at the start.
    const { connectThrough, RedisErrors } = await import('./topology.js')
    const address = this.#config.url.reveal()
    try {
      const connection = await connectThrough(this.#config, address, this.#prefix + 'check')
      if (this.#closing.signal.aborted || address !== this.#config.url.reveal()) {
        connection.end()
        return []
      }
      this.#use(connection)
      const failure = await connection.ended
      this.#drop(connection)
      return failure ? [failure] : []
    } catch (error) {
      return error instanceof RedisErrors ? error.failures : [RedisError.from(error, 'unknown')]
    }
  }

  #use(connection: RedisConnection): void {
    this.#connection = connection
    this.#failure = undefined
    this.#backOff.connected()
    this.#told.clear()
    this.emit('connected', connection.server)
  }

  #drop(connection: RedisConnection): void {
    if (this.#connection !== connection) return
    this.#connection = undefined
    this.emit('lost')
  }

  #tell(failure: RedisError): void {
    this.#failure = failure
    const reason = `${failure.server} ${failure.code}`
    if (this.#told.has(reason) || this.#closing.signal.aborted) return
    this.#told.add(reason)
    this.emit('failure', failure)
  }
}

/** In braces, so that all keys of an account lie in one hash slot of a cluster. */
function prefixOf(origin: string): string {
  const account = createHash('sha256').update(origin).digest('hex').slice(0, 16)
  return `zendesk-session-proxy:{${account}}:`
}
