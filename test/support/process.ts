import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { compiled } from './compiled.js'
import { ask } from './helper.js'

export interface Running {
  child: ChildProcess
  /** Where it listens, once it is ready. */
  url: () => Promise<string>
  /** Resolves when it has ended and everything it wrote has been read. */
  exitCode: Promise<number | null>
  output: () => string
  errors: () => string
  /** The lines of its log so far. */
  lines: () => Record<string, unknown>[]
}

interface StartOptions {
  /** As `compiled()` takes it. */
  program?: string
  /** A program and its arguments that starts the service. */
  wrapper?: string[]
  /** A module loaded before the program, as `compiled()` takes it, which may exchange messages with the test. */
  preload?: string
}

const LISTENING = /Server listening at (http:[^"]+)/

/** The service as a process of its own, with this environment and no other; ended with the test. */
export function start(
  t: Test,
  environment: NodeJS.ProcessEnv,
  { program = 'src/start.js', wrapper = [], preload }: StartOptions = {},
): Running {
  // tap puts a module of its own into NODE_OPTIONS of each child, which listens to signals before the program does.
  const bare = ['env', '-u', 'NODE_OPTIONS']
  const preloads = preload === undefined ? [] : ['--import', compiled(preload)]
  const words = [...bare, ...wrapper, process.execPath, ...preloads, compiled(program)]
  const child = spawn(words[0] ?? '', words.slice(1), {
    env: { PORT: '0', PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe', preload === undefined ? 'ignore' : 'ipc'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  let errors = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return {
    child,
    url: async () => {
      await until(() => LISTENING.test(output))
      const url = LISTENING.exec(output)?.[1] ?? ''
      await until(async () => (await ask(`${url}/readyz`)).status === 200)
      return url
    },
    exitCode: ended,
    output: () => output,
    errors: () => errors,
    lines: () =>
      output
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}

/** Waits for a condition. The limit ends a test that hangs; it says nothing of how fast the service is. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endsAt = performance.now() + 45_000
  while (!(await isSo())) {
    if (performance.now() > endsAt) throw new Error('the condition was not met within 45 s')
    await delay(20)
  }
}

/** Whether a process has a handler for a signal (proc(5), SigCgt). */
export function catches(pid: number | undefined, signal: NodeJS.Signals): boolean {
  const mask = /^SigCgt:\s+(\w+)/m.exec(readFileSync(`/proc/${pid ?? 0}/status`, 'utf8'))?.[1] ?? '0'
  return (BigInt(`0x${mask}`) & (1n << BigInt(constants.signals[signal] - 1))) !== 0n
}

/** The process that a wrapper has started. */
export async function childOf(pid = 0): Promise<number> {
  const children = () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  await until(() => children() !== '')
  return Number(children())
}

/** For the options of a test that needs a process as PID 1. */
export function namespacesOrSkip(): { skip: string | false } {
  const missing = spawnSync('unshare', ['-pf', '--mount-proc', 'true']).status !== 0
  const required = process.env['REQUIRE_TOOLS'] === '1'
  return { skip: missing && !required ? 'this user may not make a PID namespace' : false }
}
