import { Problem } from '../../src/problems/problem.js'
import type { CredentialConfig } from '../../src/config/zendesk.js'
import { Secret } from '../../src/secret.js'
import type { ZendeskClient } from '../../src/zendesk/client.js'
import { assembleClient, type ZendeskSettings } from '../../src/zendesk/connect.js'
import { connectionProblem } from '../../src/zendesk/connection-problem.js'
import { ZendeskEvents } from '../../src/zendesk/events.js'
import { rateLimitOf } from '../../src/zendesk/rate-limit.js'
import type { Call, Verdict } from '../../src/zendesk/operation.js'
import { FakeClock } from './fake-clock.js'

/** What Zendesk does with one call. */
export interface Reply {
  status: number
  headers?: Record<string, string>
  body?: unknown
  /** Until the answer has come, in milliseconds. */
  afterMs?: number
}

export type Outcome = Reply | 'silence' | 'reset'

/** One call as Zendesk received it. */
export interface ReceivedCall {
  operation: string
  /** By the clock of the test. */
  at: number
  authorization: string | undefined
  outcome: Outcome
}

/** A Zendesk that answers without sockets, on a clock that the test moves. `answer` decides what becomes of each call. */
export class VirtualZendesk {
  readonly clock = new FakeClock()
  readonly calls: ReceivedCall[] = []
  answer: (call: Omit<ReceivedCall, 'outcome'>) => Outcome = succeed
  #tokens = 0

  client(kind: CredentialConfig['kind'] = 'bearer', settings: Partial<ZendeskSettings> = {}): ZendeskClient {
    const secret = new Secret('SECRET', { text: 'sandbox-secret-not-a-secret' }, (text) => text)
    const credentials = { kind, secret, clientId: 'client', scope: 'read', email: 'agent@sandbox.example' }
    const { clock } = this
    const events = new ZendeskEvents()
    const transport = {
      exchange: <T>(call: Call<T>) => this.#exchange(call, events),
      close: () => Promise.resolve(),
    }
    return assembleClient(
      { credentials, timeoutMs: 5_000, budgetPerMinute: 0, redis: undefined, clock, ...settings },
      transport,
      events,
    )
  }

  /** The outcomes of the calls to this operation. */
  outcomes(operation = 'renew'): (number | string)[] {
    return this.#of(operation).map(({ outcome }) => (typeof outcome === 'string' ? outcome : outcome.status))
  }

  /** When they were made. */
  times(operation = 'renew'): number[] {
    return this.#of(operation).map(({ at }) => at)
  }

  #of(operation: string): ReceivedCall[] {
    return this.calls.filter((call) => call.operation === operation)
  }

  async #exchange<T>(
    { operation, deadline, headers = {} }: Call<T>,
    events: ZendeskEvents,
  ): Promise<Verdict<T>> {
    const at = this.clock.now()
    const call = { operation: operation.name, at, authorization: headers['authorization'] }
    const outcome = this.answer(call)
    this.calls.push({ ...call, outcome })
    const tookMs = () => this.clock.now() - at
    if (outcome === 'reset')
      return connectionProblem(Object.assign(new Error(), { code: 'ECONNRESET' }), false, 0)
    const waitMs = outcome === 'silence' ? 1e9 : (outcome.afterMs ?? 0)
    try {
      if (waitMs > 0) await deadline.sleep(waitMs)
    } catch {
      return new Problem('zendesk-timeout', { zendeskMs: tookMs() })
    }
    const { status, headers: sent = {}, body = this.#body(operation.name, status) } = outcome as Reply
    const zendeskMs = tookMs()
    const bytes = Buffer.from(JSON.stringify(body))
    const answer = { status, headers: sent, body: bytes, zendeskMs }
    const value = operation.judge(answer)
    const rateLimit = operation.name === 'token' ? undefined : rateLimitOf(answer)
    events.emit('call', { operation: operation.name, outcome: 'ok', status, zendeskMs, rateLimit })
    return value instanceof Problem ? value : { value, zendeskMs }
  }

  #body(operation: string, status: number): unknown {
    if (status >= 300) return {}
    this.#tokens += 1
    return operation === 'token'
      ? { access_token: `access-${this.#tokens}` }
      : { authenticity_token: `session-${this.#tokens}` }
  }
}

/** What a healthy Zendesk does. */
export function succeed(): Reply {
  return { status: 200 }
}

/** What became of a renewal: `ok` or the code of the problem, and the problem itself. */
export async function outcomeOf(renewal: Promise<unknown>): Promise<{ code: string; problem?: Problem }> {
  try {
    await renewal
    return { code: 'ok' }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { code: error.code, problem: error }
  }
}
