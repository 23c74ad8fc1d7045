/** What a check found, in plain words and without any secret. */
export interface Finding {
  level: 'ok' | 'warn' | 'fail'
  title: string
  detail?: string | undefined
  /** What the operator should do. */
  fix?: string | undefined
}

export function ok(title: string, detail?: string): Finding {
  return { level: 'ok', title, detail }
}

export function warn(title: string, fix?: string): Finding {
  return { level: 'warn', title, fix }
}

export function fail(title: string, fix: string, detail?: string): Finding {
  return { level: 'fail', title, detail, fix }
}
