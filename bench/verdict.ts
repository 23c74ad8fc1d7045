import { cpus } from 'node:os'
import { cores } from './cores.js'

/** What was expected, what was found, and whether that is good enough. */
export interface Check {
  expected: string
  found: string
  passed: boolean
}

/** Prints each check and a last line. */
export function pronounce(name: string, checks: readonly Check[]): void {
  for (const { expected, found, passed } of checks)
    console.log(`${passed ? 'ok  ' : 'FAIL'}  ${expected}: ${found}`)
  const failed = checks.filter(({ passed }) => !passed).length
  console.log(`\n${name}: ${failed === 0 ? 'passed' : `FAILED (${failed} of ${checks.length})`}`)
}

/** Where something was measured. */
export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  const apart = cores ? 'subject and load on a core each' : 'subject and load on the same cores'
  return `Node ${process.versions.node}, ${model}, ${apart}`
}
