import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { findExecutable } from './cores.js'
import { freePort } from './ports.js'
import { start, stop, type Running } from './processes.js'

/** A Redis of our own that keeps nothing on disk, and can go away and come back at the same port. */
export class RedisServer {
  readonly url: string
  readonly #command: string
  readonly #port: number
  #running: Running | undefined

  /** Undefined where redis-server is not installed. */
  static async start(): Promise<RedisServer | undefined> {
    const command = findExecutable('redis-server')
    if (command === undefined) return undefined
    const server = new RedisServer(command, await freePort())
    await server.comeBack()
    return server
  }

  private constructor(command: string, port: number) {
    this.#command = command
    this.#port = port
    this.url = `redis://127.0.0.1:${port}`
  }

  async comeBack(): Promise<void> {
    const options = { port: this.#port, bind: '127.0.0.1', save: '', appendonly: 'no', daemonize: 'no' }
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
    this.#running = start({ command: this.#command, args })
    const until = performance.now() + 5_000
    while (!(await this.#ask((redis) => redis.ping()))) {
      if (performance.now() > until) throw new Error('redis-server did not start')
      await delay(20)
    }
  }

  /** Without a word to its clients, as by a power cut. */
  async goAway(): Promise<void> {
    if (!this.#running) return
    this.#running.child.kill('SIGKILL')
    await stop(this.#running)
  }

  /** Whether anybody keeps anything here. */
  async isUsed(): Promise<boolean> {
    return ((await this.#ask((redis) => redis.dbsize())) ?? 0) > 0
  }

  async #ask<T>(question: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    const redis = new Redis({
      port: this.#port,
      lazyConnect: true,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    })
    redis.on('error', () => undefined)
    try {
      await redis.connect()
      return await question(redis)
    } catch {
      return undefined
    } finally {
      redis.disconnect()
    }
  }
}
