import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execa, type Options } from 'execa'
import getPort from 'get-port'

export interface Running {
  pid: number
  origin: string
  hasEnded: () => boolean
  /** Sends a message, if given, and resolves with the next one that the process sends. */
  hear: (message?: object) => Promise<unknown>
  /** SIGTERM, later SIGKILL; resolves with the exit code, undefined where a signal ended it. */
  stop: () => Promise<number | undefined>
}

interface Program extends Pick<Options, 'cwd' | 'stdout' | 'stderr'> {
  /** Nothing of our own environment but PATH is passed on: the developer's REDIS_URL must not reach the service. */
  environment?: Record<string, string | undefined>
  core?: number | undefined
}

const PATH = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`

/** Starts a program that ends when this process does. */
export function start(port: number, command: string[], { environment, core, ...options }: Program): Running {
  const [file = '', ...args] = [...(core === undefined ? [] : ['taskset', '-c', String(core)]), ...command]
  const child = execa(file, args, {
    stdout: 'ignore',
    stderr: 'inherit',
    ...options,
    env: { PATH, ...environment },
    extendEnv: false,
    ipc: true,
    serialization: 'json',
    buffer: false,
    reject: false,
    stdin: 'ignore',
    forceKillAfterDelay: 15_000,
  })
  const hear = async (message?: object) => {
    const [heard] = await Promise.all([child.getOneMessage(), message && child.sendMessage({ ...message })])
    return heard
  }
  const stop = async () => {
    child.kill('SIGTERM')
    return (await child).exitCode
  }
  const hasEnded = () => child.exitCode !== null
  return { pid: child.pid ?? 0, origin: `http://127.0.0.1:${port}`, hasEnded, hear, stop }
}

/** One of the programs in bench/programs, once it says that it listens. */
export async function startProgram(name: string, args: string[], options: Program): Promise<Running> {
  const program = fileURLToPath(new URL(`programs/${name}.js`, import.meta.url))
  const port = await getPort()
  const running = start(port, [process.execPath, program, String(port), ...args], options)
  await running.hear()
  return running
}

/** Waits until the process answers 200 at this path. */
export async function answering(running: Running, path: string): Promise<Running> {
  for (const until = performance.now() + 30_000; performance.now() < until;) {
    if (running.hasEnded()) throw new Error(`what should answer at ${running.origin} ended`)
    const response = await fetch(running.origin + path).catch(() => undefined)
    await response?.text()
    if (response?.ok) return running
    await delay(5)
  }
  throw new Error(`${running.origin}${path} did not answer 200 within 30 s`)
}

/** The path of an installed program; undefined where it is missing. */
export function findExecutable(name: string): string | undefined {
  return [...PATH.split(delimiter), '/usr/sbin'].map((folder) => join(folder, name)).find(existsSync)
}

/** A new folder, deleted when this process ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'zendesk-session-proxy-bench-'))
  process.once('exit', rmSync.bind(undefined, folder, { recursive: true }))
  return folder
}

// An ordinary exit, so that folders and processes are cleaned up.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
