import { BackOff } from '../../redis/back-off.js'

/** Redis, as far as it answers: whoever asks goes on without it where it does not. */
export class RedisStore {
  readonly #redis: ScriptRunner
  readonly #observe: (answers: boolean) => void
  #answers = true
  readonly #backOff: BackOff

  /** @param observe is told when Redis stops answering (false), and when it answers again. */
  constructor(redis: ScriptRunner, observe: (answers: boolean) => void) {
    this.#redis = redis
    this.#backOff = BackOff.of(redis)
    this.#observe = observe
  }

  /** What the script returned; undefined where Redis does not answer, or lately did not. */
  async ask(script: string, key: string, values: (string | number)[]): Promise<string[] | undefined> {
    if (this.#backOff.active) {
      this.#note(false)
      return undefined
    }
    const startedAt = performance.now()
    try {
      const reply = (await this.#redis.eval(script, 1, key, ...values)) as string[]
      this.#note(true)
      return reply
    } catch {
      this.#backOff.failed(startedAt)
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
