/** Everything that is wrong with the configuration, so that the operator can fix it in one go. */
export class Faults {
  readonly #lines: { names: string[]; text: string }[] = []
  readonly #named = new Set<string>()
  readonly #oddities = new Map<string, string>()
  readonly #correction: (name: string) => string | undefined

  /** @param correction what to put in the place of a malformed value, where that can be told. */
  constructor(correction: (name: string) => string | undefined) {
    this.#correction = correction
  }

  /** One line per variable: what follows from its first mistake is left out. */
  add(names: string[], should: string): void {
    this.say(names, `${names.join(', ')}: ${should}`)
  }

  /** The same in a sentence that names the variables itself. */
  say(names: string[], text: string): void {
    if (names.some((name) => this.#named.has(name))) return
    for (const name of names) this.#named.add(name)
    this.#lines.push({ names, text })
  }

  /** What is odd about the value of a variable, which may be right all the same. */
  suspect(name: string, oddity: string): void {
    this.#oddities.set(name, oddity)
  }

  /** Whether this variable has a fault already. */
  blames(name: string): boolean {
    return this.#named.has(name)
  }

  /** The odd values of variables that have no fault. */
  suspicions(): string[] {
    const others = [...this.#oddities].filter(([name]) => !this.#named.has(name))
    return others.map(([name, oddity]) => `${name}: ${oddity}`)
  }

  /** Throws one ConfigError with every line, if there is any; what else is suspicious may be the reason, so it is told too. */
  throwIfAny(warnings: string[]): void {
    if (this.#lines.length === 0) return
    const lines = this.#lines.map(({ names, text }) => {
      const more = names.flatMap((name) => [this.#correction(name), this.#oddities.get(name)])
      return [text, ...more].filter((part) => part !== undefined).join('; ')
    })
    throw new ConfigError([...lines, ...this.suspicions(), ...warnings])
  }
}

/** A configuration with which the process must not start. Its message is for the operator and holds no value of a secret. */
export class ConfigError extends Error {
  constructor(lines: string[]) {
    const indented = lines.map((line) => `  ${line}`).join('\n')
    super(`zendesk-session-proxy cannot start. Fix these environment variables:\n${indented}`)
    this.name = 'ConfigError'
  }
}
