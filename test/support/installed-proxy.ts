import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { freePort } from './free-port.js'
import { until } from './process.js'

/** A real forward proxy on a free port of this machine. */
export class InstalledProxy {
  readonly url: string
  readonly #command: string[]
  readonly #logFile: string
  readonly #port: number
  #process: ChildProcess | undefined

  static async start(
    t: Test,
    product: 'tinyproxy' | 'squid',
    password: string | undefined,
  ): Promise<InstalledProxy> {
    const folder = mkdtempSync(join(tmpdir(), 'proxy-'))
    // squid and tinyproxy give up root.
    chmodSync(folder, 0o777)
    t.teardown(() => {
      rmSync(folder, { recursive: true, force: true })
    })
    const port = await freePort()
    const proxy = new InstalledProxy(folder, port, product, password)
    t.teardown(() => proxy.stop())
    await proxy.restart()
    return proxy
  }

  private constructor(
    folder: string,
    port: number,
    product: 'tinyproxy' | 'squid',
    password: string | undefined,
  ) {
    const configuration = join(folder, 'proxy.conf')
    this.#port = port
    this.#logFile = join(folder, 'proxy.log')
    this.url = `http://${password === undefined ? '' : `shop:${password}@`}127.0.0.1:${port}`
    if (product === 'tinyproxy') {
      writeFileSync(configuration, tinyproxy(port, this.#logFile, password))
      this.#command = ['tinyproxy', '-d', '-c', configuration]
    } else {
      writeFileSync(configuration, squid(folder, port, this.#logFile, password))
      this.#command = ['squid', '-N', '-f', configuration]
    }
    writeFileSync(this.#logFile, '')
    chmodSync(this.#logFile, 0o666)
  }

  async restart(): Promise<void> {
    const [command = '', ...words] = this.#command
    this.#process = spawn(command, words, {
      stdio: 'ignore',
      env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
    })
    await until(() => accepts(this.#port))
  }

  async stop(): Promise<void> {
    const process = this.#process
    this.#process = undefined
    if (!process) return
    const ended = once(process, 'exit')
    process.kill('SIGTERM')
    await ended
  }

  log(): string {
    return readFileSync(this.#logFile, 'utf8')
  }
}

function tinyproxy(port: number, log: string, password: string | undefined): string {
  return [
    `Port ${port}`,
    'Listen 127.0.0.1',
    'Allow 127.0.0.1',
    `LogFile "${log}"`,
    'LogLevel Connect',
    ...(password === undefined ? [] : [`BasicAuth shop ${password}`]),
  ].join('\n')
}

function squid(folder: string, port: number, log: string, password: string | undefined): string {
  const check = join(folder, 'check')
  writeFileSync(
    check,
    `#!/bin/sh\nwhile read -r user secret; do [ "$user $secret" = "shop ${password ?? ''}" ] && echo OK || echo ERR; done\n`,
    { mode: 0o755 },
  )
  return [
    `http_port 127.0.0.1:${port}`,
    `pid_filename none`,
    `cache_log /dev/null`,
    `access_log stdio:${log}`,
    `coredump_dir ${folder}`,
    'cache deny all',
    'shutdown_lifetime 0 seconds',
    ...(password === undefined
      ? ['http_access allow all']
      : [
          `auth_param basic program ${check}`,
          'acl known proxy_auth REQUIRED',
          'http_access allow known',
          'http_access deny all',
        ]),
  ].join('\n')
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
      .once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      .once('error', () => {
        resolve(false)
      })
  })
}
