import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { Redis } from 'ioredis'
import type { Test } from 'tap'

/** A Redis of our own on a free port, without any file. */
export class RedisServer {
  #port = 0
  #process: ChildProcess | undefined

  static async start(t: Test): Promise<RedisServer> {
    const server = new RedisServer()
    server.#port = await freePort()
    await server.listen()
    t.teardown(() => server.kill())
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`
  }

  async listen(): Promise<void> {
    const options = ['--port', String(this.#port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    const server = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'ignore'] })
    this.#process = server
    await new Promise<void>((resolve, reject) => {
      server.on('error', reject)
      server.stdout.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('Ready to accept connections')) resolve()
      })
    })
  }

  freeze(): void {
    this.#process?.kill('SIGSTOP')
  }

  async kill(): Promise<void> {
    const server = this.#process
    if (!server || server.signalCode !== null) return
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGKILL')
    await ended
  }

  /** All keys and values as text. */
  async contents(): Promise<string> {
    const redis = new Redis(this.url)
    const keys = await redis.keys('*')
    const values = await Promise.all(keys.map((key) => redis.get(key)))
    redis.disconnect()
    return JSON.stringify([keys, values])
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => {
        resolve(port)
      })
    })
  })
}

/** For the options of a test. With REQUIRE_REDIS=1 an absent Redis fails it. */
export function redisOrSkip(): { skip: string | false } {
  const absent = spawnSync('redis-server', ['--version']).error !== undefined
  const required = process.env['REQUIRE_REDIS'] === '1'
  return { skip: absent && !required ? 'there is no redis-server on this machine' : false }
}
