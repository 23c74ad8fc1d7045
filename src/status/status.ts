import { hostname } from 'node:os'
import type { FastifyInstance } from 'fastify'
import { version } from '../version.js'
import type { Outlook } from '../zendesk/client.js'
import type { Activity } from './activity.js'

/** The state of this replica, as `/status` tells it to a program. What `/readyz` tells too comes from the same place. */
export interface Status extends Outlook {
  version: string
  /** The name of the machine; in Kubernetes that of the pod. */
  replica: string
  /** RFC 3339. */
  startedAt: string
  /** Requests are accepted while `ready`, and still while `draining`. */
  phase: 'starting' | 'ready' | 'overloaded' | 'draining' | 'closing'
  /** The origin of the Zendesk account. */
  zendesk: string
  /** Calls: the budget of all replicas that share it (0 = none), and what this one has used of it. */
  budget: { perMinute: number; usedInLastMinute: number }
  /** Calls a minute of the whole account, all integrations together, as Zendesk told last; null before it has told. */
  rateLimit: { limit: number; remaining: number } | null
  redis: { state: 'connected' | 'disconnected' | 'not-configured'; errorCode: string | null }
  /** How many callers shared a renewal on average within the last minute; null where there was none. */
  callersPerCall: number | null
  /** How renewals ended, the latest first. */
  outcomes: { code: string; lastMinute: number; sinceStart: number; lastAt: string }[]
}

export function statusOf(app: FastifyInstance, activity: Activity): Status {
  const { config, lifecycle, zendesk, redis } = app
  return {
    version,
    replica: hostname(),
    startedAt: new Date(performance.timeOrigin).toISOString(),
    phase: lifecycle.phase === 'ready' && app.isOverloaded() ? 'overloaded' : lifecycle.phase,
    zendesk: config.zendeskOrigin,
    ...zendesk.outlook(),
    budget: { perMinute: config.ZENDESK_BUDGET_PER_MINUTE, usedInLastMinute: activity.calls.total },
    rateLimit: rateLimitOf(zendesk),
    redis: redis
      ? { state: redis.connected ? 'connected' : 'disconnected', errorCode: redis.failure?.code ?? null }
      : { state: 'not-configured', errorCode: null },
    callersPerCall: mean(activity),
    outcomes: activity.outcomes().map(({ code, lastMinute, sinceStart, lastAt }) => ({
      code,
      lastMinute: lastMinute.total,
      sinceStart,
      lastAt: new Date(lastAt).toISOString(),
    })),
  }
}

function rateLimitOf(zendesk: FastifyInstance['zendesk']): Status['rateLimit'] {
  const told = zendesk.rateLimit()
  return told ? { limit: told.limit, remaining: told.remaining } : null
}

function mean({ flights, callers }: Activity): number | null {
  return flights.total === 0 ? null : Math.round((callers.total / flights.total) * 10) / 10
}
