import { existsSync, readdirSync, readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100
const PAGE_BYTES = 4096

/** What a process and all its children use, as Linux counts it (proc(5)). */
export function usage(pid: number): { residentBytes: number; cpuSeconds: number; openFiles: number } {
  const all = [pid, ...descendants(pid)]
  return {
    residentBytes: sum(all.map(residentBytes)),
    cpuSeconds: sum(all.map(cpuSeconds)),
    openFiles: sum(all.map((each) => readdirSync(`/proc/${each}/fd`).length)),
  }
}

export function descendants(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`
  if (!existsSync(path)) return []
  const children = readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number)
  return children.flatMap((child) => [...descendants(child), child])
}

function residentBytes(pid: number): number {
  const [, resident = '0'] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')
  return Number(resident) * PAGE_BYTES
}

/** In user and kernel mode. The name of the command may hold blanks, so fields are counted behind it. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
