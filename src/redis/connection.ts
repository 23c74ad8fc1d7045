import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { AbstractConnector, Redis } from 'ioredis'
import { lookup } from '../network/lookup.js'
import { RedisError } from './redis-error.js'
import type { RedisScript } from './script.js'

/** TCP, TLS and the look-up of the name together. */
const OPEN_MS = 1_000
/** A renewal does not wait longer for Redis. */
const COMMAND_MS = 200

/** One connection to one server. It is never repaired: the first thing that goes wrong ends it, and the client opens another. */
export class RedisConnection {
  readonly server: string
  /** Resolves once it is over, with the reason, or with nothing where `end` was called without one. */
  readonly ended: Promise<RedisError | undefined>
  readonly #redis: Redis
  #failure: RedisError | undefined
  #deliberate = false

  /** @throws {RedisError} */
  static async open(target: Target): Promise<RedisConnection> {
    const connection = new RedisConnection(target)
    await connection.#start(target)
    return connection
  }

  private constructor(target: Target) {
    this.server = serverName(target)
    this.#redis = new Redis({
      Connector: connectorTo(target),
      // Only tells ioredis to wait for the handshake; the connector opens the socket.
      ...(target.tls && { tls: {} }),
      lazyConnect: true,
      // We authenticate, select and check ourselves: ioredis writes warnings to stderr and goes on after a refused SELECT.
      protocol: 2,
      disableClientInfo: true,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      connectTimeout: 0,
      commandTimeout: COMMAND_MS,
      disconnectTimeout: COMMAND_MS,
    })
    this.#redis.on('error', (error) => {
      this.#failure ??= RedisError.from(error, this.server)
    })
    this.ended = new Promise((resolve) => {
      this.#redis.once('end', () => {
        resolve(this.#deliberate ? undefined : (this.#failure ?? new RedisError(this.server, 'CLOSED')))
      })
    })
  }

  /** @throws {RedisError} where the server refuses it or does not answer in time. */
  async run(script: RedisScript, key: string, values: (string | number)[]): Promise<unknown> {
    try {
      return await this.call('EVALSHA', script.digest, 1, key, ...values)
    } catch (error) {
      if (!(error instanceof RedisError && error.code === 'NOSCRIPT')) throw error
      return this.call('EVAL', script.text, 1, key, ...values)
    }
  }

  /** @throws {RedisError} */
  async call(command: string, ...values: (string | number)[]): Promise<unknown> {
    try {
      return await this.#redis.call(command, ...values)
    } catch (error) {
      throw this.#failure ?? RedisError.from(error, this.server, command)
    }
  }

  /** Without a reason where we have no use for it any more. The first reason counts. */
  end(reason?: RedisError): void {
    if (!this.#deliberate) this.#failure ??= reason
    this.#deliberate ||= this.#failure === undefined
    this.#redis.disconnect()
  }

  async #start({ username, password, database }: Target): Promise<void> {
    try {
      await this.#redis.connect()
      if (password !== undefined)
        await this.call('AUTH', ...(username === undefined ? [] : [username]), password)
      if (database !== 0) await this.call('SELECT', database)
    } catch (error) {
      this.end()
      throw this.#failure ?? RedisError.from(error, this.server)
    }
  }
}

export interface Target {
  host: string
  port: number
  tls: boolean
  username: string | undefined
  password: string | undefined
  database: number
}

/** Opens sockets with our own look-up, SNI and one limit; ioredis can be given none of the three. */
function connectorTo({ host, port, tls }: Target) {
  return class extends AbstractConnector {
    constructor() {
      super(COMMAND_MS)
    }

    override connect(): Promise<Socket> {
      this.connecting = true
      const options = { host, port, lookup }
      const socket: Socket = tls
        ? connectTls({ ...options, ...(isIP(host) === 0 && { servername: host }) })
        : connectTcp(options)
      this.stream = socket
      socket.once('error', (error) => {
        this.firstError = error
      })
      const limit = setTimeout(() => {
        socket.destroy(Object.assign(new Error('not connected in time'), { code: 'ETIMEDOUT' }))
      }, OPEN_MS)
      const stop = () => {
        clearTimeout(limit)
      }
      socket.once(tls ? 'secureConnect' : 'connect', stop).once('close', stop)
      return Promise.resolve(socket)
    }
  }
}

function serverName({ host, port }: Target): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
