import type { FastifyInstance } from 'fastify'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { PREFIX, SECONDS } from './names.js'

/** The calls to Zendesk, what they waited for, and how Zendesk looks from here. */
export function measureZendesk({ zendesk, config }: FastifyInstance, registry: Registry): void {
  const registers = [registry]
  const calls = new Counter({
    name: `${PREFIX}_zendesk_calls_total`,
    help: 'Calls to Zendesk. outcome is ok or the code of the problem.',
    labelNames: ['operation', 'outcome'],
    registers,
  })
  const durations = new Histogram({
    name: `${PREFIX}_zendesk_call_duration_seconds`,
    help: 'Time from the start of a call to the end of its answer.',
    labelNames: ['operation'],
    buckets: SECONDS,
    registers,
  })
  const callers = new Histogram({
    name: `${PREFIX}_flight_callers`,
    help: 'Callers who shared one flight.',
    labelNames: ['operation'],
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000],
    registers,
  })
  const waits = new Histogram({
    name: `${PREFIX}_wait_seconds`,
    help: 'Time that a call waited for its slot. reason is none, budget or pause.',
    labelNames: ['reason'],
    buckets: SECONDS,
    registers,
  })
  const refusals = new Counter({
    name: `${PREFIX}_refused_slots_total`,
    help: 'Calls that were not made because their slot would have come after the deadline.',
    labelNames: ['reason'],
    registers,
  })
  zendesk.events
    .on('call', ({ operation, outcome, zendeskMs }) => {
      calls.inc({ operation, outcome })
      durations.observe({ operation }, zendeskMs / 1000)
    })
    .on('settled', (operation, count) => {
      callers.observe({ operation }, count)
    })
    .on('slot', ({ reason, waitedMs, refused }) => {
      if (refused) refusals.inc({ reason })
      else waits.observe({ reason }, waitedMs / 1000)
    })

  new Gauge({
    name: `${PREFIX}_budget_per_minute`,
    help: 'Calls a minute that may be spent, by all replicas together where they share; 0 = no budget.',
    registers,
  }).set(config.ZENDESK_BUDGET_PER_MINUTE)
  new Gauge({
    name: `${PREFIX}_pause_seconds`,
    help: 'How long Zendesk still wants no calls; 0 when not paused.',
    registers,
    collect() {
      this.set(zendesk.outlook().pausedForSeconds)
    },
  })
  gaugeOnceTold(
    'zendesk_rate_limit',
    'Calls a minute that Zendesk allows the account, all integrations together.',
    () => zendesk.rateLimit()?.limit,
  )
  gaugeOnceTold(
    'zendesk_rate_limit_remaining',
    'Calls that were left to the account in this minute, as the last answer told.',
    () => zendesk.rateLimit()?.remaining,
  )
  gaugeOneOf('breaker_state', 'The breaker', ['closed', 'open', 'half-open'], () => zendesk.outlook().breaker)
  gaugeOneOf(
    'credentials_state',
    'The credentials at Zendesk',
    ['ok', 'rejected', 'unverified'],
    () => zendesk.outlook().credentials,
  )

  /** Absent until Zendesk has told it. */
  function gaugeOnceTold(name: string, help: string, now: () => number | undefined) {
    new Gauge({
      name: `${PREFIX}_${name}`,
      help,
      registers,
      collect() {
        const present = now()
        if (present === undefined) this.remove()
        else this.set(present)
      },
    })
  }

  /** One series for each state, of which the present one is 1. */
  function gaugeOneOf<State extends string>(name: string, what: string, states: State[], now: () => State) {
    new Gauge({
      name: `${PREFIX}_${name}`,
      help: `${what}: 1 for the present state, 0 for the others.`,
      labelNames: ['state'],
      registers,
      collect() {
        const present = now()
        for (const state of states) this.set({ state }, state === present ? 1 : 0)
      },
    })
  }
}
