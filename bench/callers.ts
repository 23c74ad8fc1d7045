import { Agent, type Dispatcher } from 'undici'
import { LoopLag } from './loop-lag.js'

export interface CallerRequest {
  origin: string
  path: string
  method?: Dispatcher.HttpMethod
  headers?: Record<string, string>
  /** The caller hangs up after so many milliseconds. */
  leaveAfterMs?: number
}

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
  tookMs: number
  /** How much of that our own event loop was late: no fault of who answered. */
  lagMs: number
}

/** A caller who got no answer at all: the connection failed, or its patience was over. */
export interface Lost {
  lost: string
  tookMs: number
  lagMs: number
}

/** People and programs that ask, each waiting no longer than `patienceMs`. */
export class Callers {
  readonly lag = new LoopLag()
  readonly #agent: Agent
  readonly #patienceMs: number

  /** @param keepAliveMs how long they keep an idle connection; shorter than a replica drains, as it must be behind a balancer. */
  constructor(patienceMs: number, keepAliveMs = 4_000) {
    this.#patienceMs = patienceMs
    this.#agent = new Agent({ keepAliveTimeout: keepAliveMs, keepAliveMaxTimeout: keepAliveMs })
  }

  async ask(request: CallerRequest): Promise<Answer | Lost> {
    const { leaveAfterMs, ...options } = request
    const lagBefore = this.lag.totalMs
    const startedAt = performance.now()
    const times = () => ({ tookMs: performance.now() - startedAt, lagMs: this.lag.totalMs - lagBefore })
    const signal = AbortSignal.timeout(leaveAfterMs ?? this.#patienceMs)
    try {
      const { statusCode, headers, body } = await this.#agent.request({ method: 'GET', ...options, signal })
      return { status: statusCode, headers, body: await body.text(), ...times() }
    } catch (error) {
      if (signal.aborted && leaveAfterMs !== undefined) return { lost: 'left', ...times() }
      return { lost: signal.aborted ? 'patience over' : nameOf(error), ...times() }
    }
  }

  async close(): Promise<void> {
    this.lag.stop()
    await this.#agent.destroy()
  }
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
