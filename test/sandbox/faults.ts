import type { Place } from './endpoints.js'

interface Aim {
  /** Default: all, which includes paths that do not exist. */
  target?: Place | 'all'
  /** How many requests it affects; default: every one until the fault is cleared. */
  times?: number
  /** How many requests pass before the first is affected. */
  after?: number
}

/** One way to misbehave. All of them are plain JSON, so that they can be set from another process. */
export type Fault = Aim & Deed

type Deed =
  /** Without `body` that of the shape, without `shape` the usual one of the status; an empty array removes a header. */
  | {
      kind: 'status'
      status: number
      body?: string
      headers?: Record<string, string | string[]>
      shape?: string
    }
  | { kind: 'body'; body: string; contentType?: string; status?: number }
  | { kind: 'redirect'; location?: string; status?: number }
  /** Repeats the request, credentials included. */
  | { kind: 'echo' }
  /** Answers as if no credentials had been sent. */
  | { kind: 'anonymous' }
  | { kind: 'delay'; ms: number }
  | { kind: 'silence' }
  /** Complete headers, then a byte of the body every `ms`, without end. */
  | { kind: 'drip'; ms: number }
  | { kind: 'drip-head'; ms: number }
  | { kind: 'endless' }
  /** Announces 1 GiB, sends the beginning, then nothing. */
  | { kind: 'declared-huge' }
  | { kind: 'reset' }
  | { kind: 'reset-mid-body' }
  | { kind: 'cut-head' }
  | { kind: 'garbage' }
  | { kind: 'bad-gzip' }
  | { kind: 'gzip-bomb' }

/** The active faults, one per target; a narrow target takes precedence over `all`. */
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

  /** The fault that affects this request, if any; counts it. */
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
