import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { findExecutable } from './processes.js'

/** The core of the measured process and the core of everything else; undefined where they cannot be kept apart. */
export const cores = findCores()

// This process, and what it starts from now on, leave the measured core.
if (cores) spawnSync('taskset', ['-a', '-c', '-p', String(cores.others), String(process.pid)])
else console.error('Two cores and taskset are needed to keep load and subject apart; figures will be rough.')

function findCores(): { measured: number; others: number } | undefined {
  const [measured, others] = allowedCores()
  if (measured === undefined || others === undefined || !findExecutable('taskset')) return undefined
  return { measured, others }
}

function allowedCores(): number[] {
  const path = '/proc/self/status'
  const list = existsSync(path) ? /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(path, 'utf8'))?.[1] : ''
  return (list ?? '').split(',').flatMap((range) => {
    const [first = NaN, last = first] = range.split('-').map(Number)
    return Number.isNaN(first) ? [] : Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}
