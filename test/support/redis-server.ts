import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import type { Test } from 'tap'

/** A Redis of the test's own, empty after each start. */
export class RedisServer {
  readonly port: number
  #process: ChildProcess | undefined

  /** On a free port, not yet started; stopped with the test. */
  static async reserve(t: Test): Promise<RedisServer> {
    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address() as AddressInfo
    holder.close()
    await once(holder, 'close')
    const server = new RedisServer(port)
    t.teardown(() => server.kill())
    return server
  }

  static async start(t: Test): Promise<RedisServer> {
    const server = await RedisServer.reserve(t)
    await server.start()
    return server
  }

  private constructor(port: number) {
    this.port = port
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** With a password, only those who give it are served. */
  async start(password?: string): Promise<void> {
    const options = [
      ...(password === undefined ? [] : ['--requirepass', password]),
      '--port',
      String(this.port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
    ]
    const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'ignore'] })
    this.#process = child
    let said = ''
    for await (const chunk of child.stdout) {
      said += String(chunk)
      if (said.includes('Ready to accept connections')) break
    }
    if (!said.includes('Ready to accept connections')) throw new Error(`redis-server did not start: ${said}`)
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

/** A line to Redis whose answers can be held up. */
export class SlowLine {
  /** Milliseconds by which each answer is late. */
  delayMs = 0
  readonly #server
  readonly #sockets = new Set<Socket>()

  static async open(t: Test, port: number): Promise<SlowLine> {
    const line = new SlowLine(port)
    await once(line.#server.listen(0, '127.0.0.1'), 'listening')
    t.teardown(() => {
      for (const socket of line.#sockets) socket.destroy()
      line.#server.close()
    })
    return line
  }

  private constructor(port: number) {
    this.#server = createServer((client) => {
      const redis = connect(port, '127.0.0.1')
      for (const socket of [client, redis]) {
        this.#sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          client.destroy()
          redis.destroy()
        })
      }
      client.pipe(redis)
      redis.on('data', (chunk) => {
        setTimeout(() => client.write(chunk), this.delayMs)
      })
    })
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }
}

/** For the options of a test. With REQUIRE_REDIS=1 an absent Redis fails it. */
export function redisOrSkip(): { skip: string | false } {
  const absent = spawnSync('redis-server', ['--version']).error !== undefined
  const required = process.env['REQUIRE_REDIS'] === '1'
  return { skip: absent && !required ? 'there is no redis-server on this machine' : false }
}
