import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

// Once, at the start: this process will leave the measured core, and would not find it again.
const apart = findCores()

/** The core of what is measured, and the core of everything else; undefined where this machine cannot keep them apart. */
export function cores(): { measured: number; others: number } | undefined {
  return apart
}

function findCores(): ReturnType<typeof cores> {
  const [measured, others] = allowedCores()
  if (measured === undefined || others === undefined || !findExecutable('taskset')) return undefined
  return { measured, others }
}

/** This process, and what it starts from now on, leave the core of what is measured alone. */
export function leaveMeasuredCore(): void {
  const { others } = cores() ?? {}
  if (others !== undefined) spawnSync('taskset', ['-a', '-c', '-p', String(others), String(process.pid)])
}

/** The command that runs another one on one core. */
export function pinned(core: number, command: string, args: string[]): [string, string[]] {
  return ['taskset', ['-c', String(core), command, ...args]]
}

/** The path of a program of this machine; undefined where it is not installed. */
export function findExecutable(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, name)).find(existsSync)
}

function allowedCores(): number[] {
  const path = '/proc/self/status'
  const list = existsSync(path) ? /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(path, 'utf8'))?.[1] : ''
  return (list ?? '').split(',').flatMap((range) => {
    const [first = NaN, last = first] = range.split('-').map(Number)
    return Number.isNaN(first) ? [] : Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}
