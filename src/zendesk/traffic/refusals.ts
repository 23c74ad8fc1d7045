import { systemClock, type Clock } from '../clock.js'

/** After the first refusal; twice as long after each further one. */
const FIRST_MS = 500
/** Between tries of a credential that Zendesk may not know yet: seldom longer than a caller can wait. */
const LONGEST_WHILE_NEW_MS = 2_000
const LONGEST_MS = 60_000

/**
 * Spaces the calls with credentials that Zendesk keeps refusing: a password that is tried too often locks its user out. The
 * first accepted call, and a changed secret, end the pause.
 */
export class Refusals {
  readonly #clock: Pick<Clock, 'now'>
  #count = 0
  #until = 0
  /** Whether Zendesk may only need a moment to know the credential, so that the pause is worth waiting for. */
  mayPass = false

  constructor(clock: Pick<Clock, 'now'> = systemClock) {
    this.#clock = clock
  }

  /** Milliseconds until the next call may go; 0 = now. */
  get waitMs(): number {
    return Math.max(this.#until - this.#clock.now(), 0)
  }

  refused(isNew: boolean): void {
    const longestMs = isNew ? LONGEST_WHILE_NEW_MS : LONGEST_MS
    this.#until = this.#clock.now() + Math.min(FIRST_MS * 2 ** this.#count, longestMs)
    this.#count += 1
    this.mayPass = isNew
  }

  reset(): void {
    this.#count = 0
    this.#until = 0
  }
}
