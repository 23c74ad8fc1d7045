/** Node 20 still works, because many machines have it. */
export function nodeWarnings(version: string): string[] {
  return version.startsWith('v20.')
    ? ['Node 20 reached its end of life in April 2026 and gets no security releases: run Node 24']
    : []
}
