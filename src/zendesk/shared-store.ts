/** After a failure Redis is left alone for so many times as long as that took: a slow one must not hold up every call. */
const LEAVE_ALONE = 5

/** Redis, as far as it answers: whoever asks goes on without it where it does not. */
export class SharedStore {
  readonly #redis: ScriptRunner
  readonly #observe: (answers: boolean) => void
  #answers = true
  #askAgainAt = 0

  /** @param observe is told when Redis stops answering (false), and when it answers again. */
  constructor(redis: ScriptRunner, observe: (answers: boolean) => void) {
    this.#redis = redis
    this.#observe = observe
  }

  /** What the script returned; undefined where Redis does not answer, or lately did not. */
  async ask(script: string, key: string, values: (string | number)[]): Promise<string[] | undefined> {
    return performance.now() < this.#askAgainAt ? undefined : this.#run(script, key, values)
  }

  async #run(script: string, key: string, values: (string | number)[]): Promise<string[] | undefined> {
    const startedAt = performance.now()
    try {
      const reply = (await this.#redis.eval(script, 1, key, ...values)) as string[]
      this.#note(true)
      return reply
    } catch {
      const failedAt = performance.now()
      this.#askAgainAt = failedAt + (failedAt - startedAt) * LEAVE_ALONE
      this.#note(false)
      return undefined
    }
  }

  #note(answers: boolean): void {
    if (answers !== this.#answers) this.#observe(answers)
    this.#answers = answers
  }
}

/** A client of Redis or Valkey that answers, or fails, soon. */
export interface ScriptRunner {
  eval(script: string, keys: number, ...rest: (string | number)[]): Promise<unknown>
}
