import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, type Dispatcher } from 'undici'

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
  ms: number
}

/** A caller without an answer: the connection failed, or its longest wait was over. `left` where it hung up itself. */
export interface Unanswered {
  unanswered: string
  ms: number
}

/** Programs that send requests, each waiting no longer than `longestWaitMs`. */
export class Callers {
  readonly #agent: Agent
  readonly #longestWaitMs: number
  readonly #loop: IntervalHistogram = monitorEventLoopDelay({ resolution: 10 })

  /** @param keepAliveMs how long an idle connection is kept; shorter than a replica drains, as behind a load balancer. */
  constructor(longestWaitMs: number, keepAliveMs = 4_000) {
    this.#longestWaitMs = longestWaitMs
    this.#agent = new Agent({ keepAliveTimeout: keepAliveMs, keepAliveMaxTimeout: keepAliveMs })
    this.#loop.enable()
  }

  /** How late this process' own event loop was at the worst, which is not the service's doing. */
  get worstLagMs(): number {
    return this.#loop.max / 1e6
  }

  async ask({ leaveAfterMs, ...options }: CallerRequest): Promise<Answer | Unanswered> {
    const startedAt = performance.now()
    const signal = AbortSignal.timeout(leaveAfterMs ?? this.#longestWaitMs)
    try {
      const { statusCode, headers, body } = await this.#agent.request({ method: 'GET', ...options, signal })
      const text = await body.text()
      return { status: statusCode, headers, body: text, ms: performance.now() - startedAt }
    } catch (error) {
      const ms = performance.now() - startedAt
      if (!signal.aborted) return { unanswered: nameOf(error), ms }
      return { unanswered: leaveAfterMs === undefined ? 'longest wait over' : 'left', ms }
    }
  }

  async close(): Promise<void> {
    this.#loop.disable()
    await this.#agent.destroy()
  }
}

const TICK_MS = 5

/**
 * Requests at a steady rate whether or not earlier ones have been answered, as real callers send them. Resolves when the
 * last has been answered; `ask` must not reject.
 */
export async function steadyLoad(
  {
    perSecond,
    seconds,
    onSecond,
  }: { perSecond: number; seconds: number; onSecond?: (second: number) => void },
  ask: (index: number) => Promise<void>,
): Promise<void> {
  const asking = new Set<Promise<void>>()
  const startedAt = performance.now()
  const total = Math.round(perSecond * seconds)
  let second = 0
  for (let asked = 0; asked < total;) {
    const elapsed = (performance.now() - startedAt) / 1000
    for (const due = Math.min(total, Math.floor(elapsed * perSecond) + 1); asked < due; asked++) {
      const one = ask(asked).finally(() => asking.delete(one))
      asking.add(one)
    }
    if (elapsed >= second + 1) onSecond?.((second = Math.floor(elapsed)))
    await delay(TICK_MS)
  }
  await Promise.all(asking)
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
