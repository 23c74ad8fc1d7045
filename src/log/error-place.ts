/** Where in the code an error happened, for the log. Never its message, which may quote what nobody should read. */
export function placeOf(error: unknown): {
  error: string
  errorCode?: string | undefined
  frames?: string[] | undefined
} {
  if (!(error instanceof Error)) return { error: typeof error }
  const frames = error.stack?.split('\n').filter((line) => /^ {4}at .*:\d+:\d+\)?$/.test(line))
  return {
    error: error.name,
    errorCode: errorCode(error),
    frames,
  }
}

/** The stable word of a system or library error, such as ECONNREFUSED. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
