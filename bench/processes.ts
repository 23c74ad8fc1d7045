import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { pinned } from './cores.js'
import { descendants } from './usage.js'

export interface Program {
  command: string
  args: string[]
  /** Nothing else of our own environment is passed on: a REDIS_URL of the developer's is none of ours. */
  environment?: Record<string, string>
  core?: number | undefined
  /** Where its standard output goes; default: nowhere. */
  output?: string
}

export interface Running {
  child: ChildProcess
  pid: number
}

/** Starts a program that ends, with all it has started itself, when this process does. */
export function start({ command, args, environment = {}, core, output }: Program): Running {
  const [file, parameters] = core === undefined ? [command, args] : pinned(core, command, args)
  const stdout = output === undefined ? 'ignore' : openSync(output, 'w')
  const stdio: StdioOptions = ['ignore', stdout, 'inherit', 'ipc']
  const child = spawn(file, parameters, { stdio, env: { PATH: process.env['PATH'], ...environment } })
  if (typeof stdout === 'number') closeSync(stdout)
  child.on('error', () => undefined)
  if (child.pid === undefined) throw new Error(`${command} cannot be started`)
  running.add(child)
  child.once('exit', () => running.delete(child))
  return { child, pid: child.pid }
}

/** One of our own programs, or the built service, on this Node. */
export function startNode(script: string, program: Omit<Program, 'command'>): Running {
  return start({ ...program, command: process.execPath, args: [...program.args, script] })
}

/** Asks to end, insists after `graceMs`; resolves with the exit code, null where it had to be killed. */
export async function stop({ child }: Running, graceMs = 5_000): Promise<number | null> {
  if (hasEnded(child)) return child.exitCode
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => {
    kill(child)
  }, graceMs)
  await ended
  clearTimeout(timer)
  return child.exitCode
}

export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((child) => stop({ child, pid: child.pid ?? 0 })))
}

/** The next message of a child that was started here; sends one before, if given. */
export async function hear<T>({ child }: Running, message?: object | 'count'): Promise<T> {
  const gone = new AbortController()
  const onExit = () => {
    gone.abort(new Error(`process ${child.pid ?? 0} ended (${child.exitCode ?? child.signalCode ?? ''})`))
  }
  child.once('exit', onExit)
  try {
    const heard = once(child, 'message', { signal: gone.signal })
    if (message) child.send(message)
    const [said] = (await heard) as [T]
    return said
  } finally {
    child.removeListener('exit', onExit)
  }
}

/** Waits until the URL answers 200. */
export async function answering(url: string, { child }: Running, everyMs = 20): Promise<void> {
  const until = performance.now() + 15_000
  while (performance.now() < until) {
    if (hasEnded(child)) throw new Error(`the process that should answer at ${url} ended`)
    const status = await fetch(url).then(
      async (response) => (await response.text(), response.status),
      () => 0,
    )
    if (status === 200) return
    await delay(everyMs)
  }
  throw new Error(`${url} did not answer with 200 in time`)
}

const running = new Set<ChildProcess>()

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** Its own children first: nginx would leave its worker behind. */
function kill(child: ChildProcess): void {
  if (child.pid === undefined || hasEnded(child)) return
  for (const pid of [...descendants(child.pid), child.pid]) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended in this moment.
    }
  }
}

process.once('exit', () => {
  for (const child of running) kill(child)
})
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)
  process.once(signal, () => process.exit(code))
