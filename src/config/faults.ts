/** Everything that is wrong with the configuration, so that the operator can fix it in one go. */
export class Faults {
  readonly #lines: string[] = []
  readonly #named = new Set<string>()

  /** One line per variable: what follows from its first mistake is left out. */
  add(names: string[], should: string): void {
    if (names.some((name) => this.#named.has(name))) return
    for (const name of names) this.#named.add(name)
    this.#lines.push(`  ${names.join(', ')}: ${should}`)
  }

  /** Whether this variable has a fault already. */
  blames(name: string): boolean {
    return this.#named.has(name)
  }

  /** Throws one ConfigError with every line, if there is any. */
  throwIfAny(): void {
    if (this.#lines.length > 0) throw new ConfigError(this.#lines)
  }
}

/** A configuration with which the process must not start. Its message is for the operator and holds no value. */
export class ConfigError extends Error {
  constructor(lines: string[]) {
    super(`zendesk-session-proxy cannot start. Fix these environment variables:\n${lines.join('\n')}`)
    this.name = 'ConfigError'
  }
}
