/** What was expected, what came, and whether that is good enough. */
export interface Check {
  expected: string
  found: string
  kept: boolean
}

/** Prints every check and one last line; the process ends with 1 where one failed. */
export function pronounce(name: string, checks: readonly Check[]): void {
  for (const { expected, found, kept } of checks)
    console.log(`${kept ? 'ok  ' : 'FAIL'}  ${expected}: ${found}`)
  const failed = checks.filter(({ kept }) => !kept).length
  console.log(`\n${name}: ${failed === 0 ? 'passed' : `FAILED (${failed} of ${checks.length})`}`)
  if (failed > 0) process.exitCode = 1
}
