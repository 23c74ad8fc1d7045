import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from './free-port.js'

/** A Redis of the test's own that keeps nothing on disk, and can end and start again at the same port. */
export class RedisServer {
  readonly port: number
  #process: ChildProcess | undefined
  #password: string | undefined
  readonly #folder = mkdtempSync(join(tmpdir(), 'redis-'))

  /** On a free port, not yet started; stopped with the test. */
  static async reserve(t: Owner): Promise<RedisServer> {
    const server = new RedisServer(await freePort())
    t.teardown(async () => {
      await server.kill()
      rmSync(server.#folder, { recursive: true, force: true })
    })
    return server
  }

  static async start(t: Owner, options: Options = {}): Promise<RedisServer> {
    const server = await RedisServer.reserve(t)
    await server.start(options)
    return server
  }

  private constructor(port: number) {
    this.port = port
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** With the options of redis-server, such as `requirepass`. */
  async start(options: Options = {}): Promise<void> {
    this.#password = options['requirepass']?.toString()
    const all = {
      port: this.port,
      bind: '127.0.0.1',
      dir: this.#folder,
      save: '',
      appendonly: 'no',
      ...options,
    }
    await this.#spawn(Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]))
  }

  /** As one of the sentinels that watch a master, called `mymaster`; they find each other by themselves. */
  async startSentinel(master: RedisServer, quorum: number, password: string): Promise<void> {
    this.#password = password
    const lines = [
      `port ${this.port}`,
      'bind 127.0.0.1',
      `dir ${this.#folder}`,
      `requirepass ${password}`,
      `sentinel sentinel-pass ${password}`,
      `sentinel monitor mymaster 127.0.0.1 ${master.port} ${quorum}`,
      `sentinel auth-pass mymaster ${master.#password ?? ''}`,
      'sentinel down-after-milliseconds mymaster 1000',
      'sentinel failover-timeout mymaster 5000',
    ]
    const path = join(this.#folder, 'sentinel.conf')
    writeFileSync(path, lines.join('\n'))
    await this.#spawn([path, '--sentinel'])
  }

  async #spawn(args: string[]): Promise<void> {
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] })
    this.#process = child
    let said = ''
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
      said += String(chunk)
      if (/Ready to accept connections|\+monitor master/.test(said)) break
    }
    if (!/Ready to accept connections|\+monitor master/.test(said))
      throw new Error(`redis-server did not start: ${said}`)
    child.stdout.resume()
  }

  /** Accepts connections, but answers nothing. */
  freeze(): void {
    this.#process?.kill('SIGSTOP')
  }

  async kill(): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** One command on a connection of its own. */
  async command(name: string, ...args: (string | number)[]): Promise<unknown> {
    const redis = new Redis(this.url, {
      ...(this.#password !== undefined && { password: this.#password }),
      retryStrategy: () => null,
      disableClientInfo: true,
      enableReadyCheck: false,
    })
    // Else ioredis writes it to stderr; the command is rejected as well.
    redis.on('error', () => undefined)
    try {
      return await redis.call(name, ...args)
    } finally {
      redis.disconnect()
    }
  }

  /** All keys and values as text. */
  async contents(): Promise<string> {
    const redis = new Redis(this.url)
    const keys = await redis.keys('*')
    const values = await Promise.all(
      keys.map(async (key) => ((await redis.type(key)) === 'hash' ? redis.hgetall(key) : redis.get(key))),
    )
    redis.disconnect()
    return JSON.stringify([keys, values])
  }
}

/** A test, or whatever else ends one day. */
export interface Owner {
  teardown(end: () => unknown): void
}

type Options = Record<string, string | number>

/** For the options of a test. With REQUIRE_REDIS=1 an absent Redis fails it. */
export function redisOrSkip(): { skip: string | false } {
  const absent = spawnSync('redis-server', ['--version']).error !== undefined
  const required = process.env['REQUIRE_REDIS'] === '1'
  return { skip: absent && !required ? 'there is no redis-server on this machine' : false }
}
