/** Lines of a table for a terminal: the first column to the left, numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('   ')
      .trimEnd()
  const [head = [], ...body] = rows.map(line)
  return [head, '-'.repeat(widths.reduce((sum, width) => sum + width + 3, -3)), ...body].join('\n')
}
