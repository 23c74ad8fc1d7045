import { setTimeout as delay } from 'node:timers/promises'
import { Agent, type Dispatcher } from 'undici'
import { CALLER_HEADERS, RENEWAL_PATH } from '../service.js'
import { Tally } from './tally.js'

export interface CallerRequest {
  origin: string
  path: string
  method?: Dispatcher.HttpMethod
  headers?: Record<string, string>
  /** The caller hangs up after so many milliseconds. */
  leaveAfterMs?: number
}

export interface Outcome {
  /** `token`, a problem's code, or why there is no answer: `left` where the caller hung up itself. */
  code: string
  /** 0 without an answer. */
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Record<string, unknown>
  ms: number
  /** How much of that the event loop of this process was late, which is not the service's doing. */
  lagMs: number
}

const LONGEST_WAIT_MS = 10_000
const TICK_MS = 10
/** How late timers are on an idle machine. */
const USUAL_LAG_MS = 2

/** Programs that send requests. */
export class Callers {
  readonly #agent: Agent
  #lagMs = 0
  #tickDueAt = performance.now() + TICK_MS
  readonly #ticks = setInterval(() => {
    this.#lagMs = this.#lagSoFarMs()
    this.#tickDueAt = performance.now() + TICK_MS
  }, TICK_MS)

  /** @param keepAliveMs how long an idle connection is kept; shorter than a replica drains, as behind a load balancer. */
  constructor(keepAliveMs = 4_000) {
    this.#agent = new Agent({ keepAliveTimeout: keepAliveMs, keepAliveMaxTimeout: keepAliveMs })
  }

  async ask({ leaveAfterMs, ...options }: CallerRequest): Promise<Outcome> {
    const lagBefore = this.#lagSoFarMs()
    const startedAt = performance.now()
    const timed = () => ({ ms: performance.now() - startedAt, lagMs: this.#lagSoFarMs() - lagBefore })
    const signal = AbortSignal.timeout(leaveAfterMs ?? LONGEST_WAIT_MS)
    try {
      const answer = await this.#agent.request({ method: 'GET', ...options, signal })
      const body = (await answer.body.json()) as Record<string, unknown>
      const code = answer.statusCode === 200 ? 'token' : String(body['code'])
      return { code, status: answer.statusCode, headers: answer.headers, body, ...timed() }
    } catch (error) {
      const aborted = leaveAfterMs === undefined ? 'longest wait over' : 'left'
      return { code: signal.aborted ? aborted : String(error), status: 0, headers: {}, body: {}, ...timed() }
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#ticks)
    await this.#agent.destroy()
  }

  /** With what the tick that is due is late by now. */
  #lagSoFarMs(): number {
    return this.#lagMs + Math.max(0, performance.now() - this.#tickDueAt - USUAL_LAG_MS)
  }
}

export type Rate = Record<'perSecond' | 'seconds', number>

/** Requests at a steady rate whether or not earlier ones have been answered, as real callers send them; `ask` must not reject. */
export async function steadyLoad(rate: Rate, ask: (index: number) => Promise<void>): Promise<void> {
  const asking: Promise<void>[] = []
  const startedAt = performance.now()
  for (let due = 0; due < rate.perSecond * rate.seconds;) {
    await delay(TICK_MS / 2)
    const elapsedSeconds = Math.min(rate.seconds, (performance.now() - startedAt) / 1000)
    due = Math.ceil(elapsedSeconds * rate.perSecond)
    while (asking.length < due) asking.push(ask(asking.length))
  }
  await Promise.all(asking)
}

/** Renewals at a steady rate, from these servers in turns. */
export async function renewals(
  callers: Callers,
  servers: readonly { origin: string }[],
  rate: Rate,
): Promise<Tally> {
  const tally = new Tally()
  await steadyLoad(rate, async (index) => {
    const origin = servers[index % servers.length]?.origin ?? ''
    tally.add(await callers.ask({ origin, path: RENEWAL_PATH, headers: CALLER_HEADERS }))
  })
  return tally
}
