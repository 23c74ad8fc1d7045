import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'

export interface Program {
  command: string
  args: readonly string[]
  cwd?: string
  /** Nothing of our own environment but PATH is passed on: the developer's REDIS_URL must not reach the service. */
  environment?: Record<string, string>
  core?: number | undefined
  /** A file for standard output; by default it is dropped. */
  output?: string | undefined
  /** Default: shown. */
  stderr?: 'ignore' | 'inherit'
}

export interface Running {
  pid: number
  hasEnded: () => boolean
  /** Sends a message, if given, and resolves with the next one that the process sends. */
  hear: (message?: object) => Promise<unknown>
  /** SIGTERM, then SIGKILL after `graceMs`; resolves with the exit code, undefined where a signal ended it. */
  stop: (graceMs?: number) => Promise<number | undefined>
}

/** Starts a program that ends when this process does. */
export function start({
  command,
  args,
  cwd,
  environment = {},
  core,
  output,
  stderr = 'inherit',
}: Program): Running {
  const [file, parameters] =
    core === undefined ? [command, args] : ['taskset', ['-c', String(core), command, ...args]]
  const child = execa(file, parameters, {
    ...(cwd !== undefined && { cwd }),
    env: { PATH: process.env['PATH'], ...environment },
    extendEnv: false,
    ipc: true,
    serialization: 'json',
    buffer: false,
    reject: false,
    stdin: 'ignore',
    stdout: output === undefined ? 'ignore' : { file: output },
    stderr,
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`cannot start ${command}`)
  let ended = false
  void child.finally(() => (ended = true))
  const stop = async (graceMs = 5_000) => {
    if (!ended) child.kill('SIGTERM')
    const insist = setTimeout(() => child.kill('SIGKILL'), graceMs)
    const { exitCode } = await child
    clearTimeout(insist)
    return exitCode
  }
  const hear = async (message?: object) => {
    const [heard] = await Promise.all([child.getOneMessage(), message && child.sendMessage({ ...message })])
    return heard
  }
  return { pid, hasEnded: () => ended, hear, stop }
}

/** One of the programs in bench/programs, on this Node. */
export function startProgram(name: string, args: string[], options: Omit<Program, 'command' | 'args'> = {}) {
  return start({ ...options, command: process.execPath, args: [programPath(name), ...args] })
}

export function programPath(name: string): string {
  return fileURLToPath(new URL(`programs/${name}.js`, import.meta.url))
}

/** Waits until the URL answers 200. */
export async function answering(url: string, running: Running, everyMs = 20): Promise<void> {
  const until = performance.now() + 15_000
  while (performance.now() < until) {
    if (running.hasEnded()) throw new Error(`the process that should answer at ${url} ended`)
    const ok = await fetch(url).then(
      async (response) => (await response.text(), response.ok),
      () => false,
    )
    if (ok) return
    await delay(everyMs)
  }
  throw new Error(`${url} did not answer 200 within 15 s`)
}

/** The path of an installed program; undefined where it is missing. */
export function findExecutable(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, name)).find(existsSync)
}

/** A new folder, deleted when this process ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'zendesk-session-proxy-bench-'))
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

// An ordinary exit, so that folders and processes are cleaned up.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))
process.once('SIGHUP', () => process.exit(129))
