import type { Place } from './endpoints.js'

interface Aim {
  /** Default: all, which includes paths that do not exist. */
  target?: Place | 'all'
  /** How many requests it hits; default: every one until healed. */
  times?: number
  /** How many requests pass untouched before the first hit. */
  after?: number
}

/** One way to misbehave. All of them are plain JSON, so that they can be set from another process. */
export type Fault = Aim & Deed

type Deed =
  /** Without body the shape's, without shape the usual one of the status; an empty array takes a header away. */
  | {
      kind: 'status'
      status: number
      body?: string
      headers?: Record<string, string | string[]>
      shape?: string
    }
  | { kind: 'body'; body: string; contentType?: string; status?: number }
  | { kind: 'redirect'; location?: string; status?: number }
  /** Tells us our own request, authorization and all. */
  | { kind: 'echo' }
  /** As though no credentials had been sent. */
  | { kind: 'anonymous' }
  | { kind: 'delay'; ms: number }
  | { kind: 'silence' }
  /** A proper head, then a byte of the body every `ms`, for ever. */
  | { kind: 'drip'; ms: number }
  | { kind: 'drip-head'; ms: number }
  | { kind: 'endless' }
  /** Announces 1 GiB, begins, and says no more. */
  | { kind: 'declared-huge' }
  | { kind: 'reset' }
  | { kind: 'reset-mid-body' }
  | { kind: 'cut-head' }
  | { kind: 'garbage' }
  | { kind: 'bad-gzip' }
  | { kind: 'gzip-bomb' }

/** The faults in force: one for each target, the narrow one before the one for all. */
export class FaultBoard {
  readonly #posted = new Map<Place | 'all', { fault: Fault; passed: number; hits: number }>()

  post(fault: Fault): void {
    this.#posted.set(fault.target ?? 'all', { fault, passed: 0, hits: 0 })
  }

  clear(): void {
    this.#posted.clear()
  }

  list(): Fault[] {
    return [...this.#posted.values()].map(({ fault }) => fault)
  }

  /** The fault that hits this request, if any; it is counted as a hit. */
  strike(place: Place | undefined): Fault | undefined {
    for (const target of place ? ([place, 'all'] as const) : (['all'] as const)) {
      const posted = this.#posted.get(target)
      if (!posted || posted.hits >= (posted.fault.times ?? Infinity)) continue
      if (posted.passed < (posted.fault.after ?? 0)) {
        posted.passed += 1
        continue
      }
      posted.hits += 1
      return posted.fault
    }
    return undefined
  }
}
