import type { FastifyInstance, RequestKind } from 'fastify'
import { LastMinute } from './last-minute.js'

/** What this replica has done lately, for `/status`. */
export class Activity {
  /** Calls to Zendesk, each of which spends one of the budget. */
  readonly calls = new LastMinute()
  /** Renewals that callers shared, and those callers. */
  readonly flights = new LastMinute()
  readonly callers = new LastMinute()
  readonly #outcomes = new Map<string, Outcome>()
  readonly #byKind = new Map<RequestKind, Outcome>()

  constructor({ zendesk, onRequestEnd }: FastifyInstance) {
    zendesk.events
      .on('slot', ({ refused }) => {
        if (!refused) this.calls.add()
      })
      .on('settled', (_operation, callers) => {
        this.flights.add()
        this.callers.add(callers)
      })
    onRequestEnd((request, _reply, kind) => {
      if (request.routeOptions.config.costsCall) this.#outcomeOf(kind).count()
    })
  }

  /** How renewals ended, the latest first. */
  outcomes(): Outcome[] {
    return [...this.#outcomes.values()].sort((one, other) => other.lastAt - one.lastAt)
  }

  #outcomeOf(kind: RequestKind): Outcome {
    const known = this.#byKind.get(kind)
    if (known) return known
    const name = kind.status === undefined ? 'caller-left' : (kind.code ?? 'ok')
    const outcome = this.#outcomes.get(name) ?? new Outcome(name)
    this.#outcomes.set(name, outcome)
    this.#byKind.set(kind, outcome)
    return outcome
  }
}

/** Renewals that ended alike. */
export class Outcome {
  /** The code of the problem, `ok`, or `caller-left`. */
  readonly code: string
  readonly lastMinute = new LastMinute()
  sinceStart = 0
  /** Milliseconds since 1970. */
  lastAt = 0

  constructor(code: string) {
    this.code = code
  }

  count(): void {
    this.lastMinute.add()
    this.sinceStart += 1
    this.lastAt = Date.now()
  }
}
