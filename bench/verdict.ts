/** What was expected, what was found, and whether that is good enough. */
export interface Check {
  expected: string
  found: string
  passed: boolean
}

/** Prints each check and a last line; the process ends with 1 where one failed. */
export function pronounce(name: string, checks: readonly Check[]): void {
  for (const { expected, found, passed } of checks)
    console.log(`${passed ? 'ok  ' : 'FAIL'}  ${expected}: ${found}`)
  const failed = checks.filter(({ passed }) => !passed).length
  console.log(`\n${name}: ${failed === 0 ? 'passed' : `FAILED (${failed} of ${checks.length})`}`)
  if (failed > 0) process.exitCode = 1
}

/** A table for a terminal: the first column to the left, numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)
  const [head = '', ...body] = rows.map((row) => row.map(pad).join('   ').trimEnd())
  return [head, '-'.repeat(widths.reduce((sum, width) => sum + width + 3, -3)), ...body].join('\n')
}

/** What is going on, on standard error: one line that is rewritten in a terminal, one line for each step elsewhere. */
export function progress(text: string): void {
  const { isTTY, columns } = process.stderr
  process.stderr.write(isTTY ? `\r\u001b[K${text.slice(0, columns - 1)}` : `${text}\n`)
}

/** Clears the line for what comes next. */
export function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
}
