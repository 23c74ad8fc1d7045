import { spawnSync } from 'node:child_process'

/** The core of the measured process and the core of everything else; undefined where they cannot be kept apart. */
export const cores = findCores()

// This process, and what it starts from now on, leave the measured core.
if (cores) spawnSync('taskset', ['-a', '-c', '-p', String(cores.others), String(process.pid)])
else console.error('Two cores and taskset are needed to keep load and subject apart; figures will be rough.')

function findCores(): { measured: number; others: number } | undefined {
  // Such as "pid 4711's current affinity list: 0,2-5"; null where taskset is missing.
  const list = String(spawnSync('taskset', ['-c', '-p', String(process.pid)]).stdout).split(': ')[1]
  const [measured, others] = (list ?? '').split(',').flatMap((range) => {
    const [first = NaN, last = first] = range.split('-').map(Number)
    return first === last ? first : [first, first + 1]
  })
  return measured === undefined || others === undefined ? undefined : { measured, others }
}
