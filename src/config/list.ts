/** The items of a value in which they are separated by commas, spaces or new lines. */
export function listOf(value: string | undefined): string[] {
  return (value ?? '').split(/[\s,]+/).filter((item) => item !== '')
}
