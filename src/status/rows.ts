import type { Status } from './status.js'

/** What the page tells, line by line: a state and what it means. */
export function rowsOf({
  phase,
  credentials,
  breaker,
  pausedForSeconds,
  budget,
  rateLimit,
  callersPerCall,
  redis,
}: Status): Row[] {
  return [
    { name: 'Phase', value: phase, ...PHASE[phase] },
    { name: 'Credentials', value: credentials, ...CREDENTIALS[credentials] },
    { name: 'Circuit breaker', value: breaker, ...BREAKER[breaker] },
    pausedForSeconds > 0
      ? { name: 'Pause', value: `${pausedForSeconds} s`, style: 'warn', explanation: PAUSED }
      : { name: 'Pause', value: 'none', style: 'good', explanation: 'Zendesk has not asked for a pause.' },
    { name: 'Budget used', ...budgetRow(budget, redis.state === 'connected') },
    { name: 'Account limit', ...rateLimitRow(rateLimit) },
    { name: 'Redis', ...redisRow(redis) },
    {
      name: 'Callers per call',
      value: callersPerCall === null ? '–' : String(callersPerCall),
      explanation: 'Callers who shared one renewal: the mean of the last minute.',
    },
  ]
}

export interface Row {
  name: string
  value: string
  /** Absent where the value is neither good nor bad. */
  style?: 'good' | 'warn' | 'bad'
  explanation: string
}

const PHASE = {
  starting: { style: 'warn', explanation: 'It does not accept requests yet.' },
  ready: { style: 'good', explanation: 'It accepts requests.' },
  overloaded: { style: 'bad', explanation: 'It refuses requests because its event loop is late.' },
  draining: {
    style: 'warn',
    explanation: 'It still accepts requests while load balancers switch to other replicas.',
  },
  closing: { style: 'warn', explanation: 'It finishes accepted requests.' },
} as const

const CREDENTIALS = {
  ok: { style: 'good', explanation: 'Zendesk accepted them at the last call.' },
  unverified: { style: 'warn', explanation: 'No renewal has shown yet whether Zendesk accepts them.' },
  rejected: {
    style: 'bad',
    explanation: 'Zendesk refuses them. The service tries them again at least once a minute.',
  },
} as const

const BREAKER = {
  closed: { style: 'good', explanation: 'Calls go to Zendesk.' },
  open: {
    style: 'bad',
    explanation: 'Zendesk kept failing. No calls for two seconds after the last failure.',
  },
  'half-open': { style: 'warn', explanation: 'Zendesk kept failing. One call at a time tries again.' },
} as const

const PAUSED = 'Zendesk answered 429 and asked for this pause. Then a single call goes first, as a probe.'

function budgetRow(
  { perMinute, usedInLastMinute: used }: Status['budget'],
  isShared: boolean,
): Omit<Row, 'name'> {
  if (perMinute === 0)
    return {
      value: String(used),
      explanation: 'Calls to Zendesk within the last minute; there is no budget.',
    }
  return {
    value: `${used} of ${perMinute}`,
    style: used >= perMinute * 0.9 ? 'warn' : 'good',
    explanation: `Calls to Zendesk by this replica within the last minute.${isShared ? ' All replicas share the budget.' : ''}`,
  }
}

function rateLimitRow(told: Status['rateLimit']): Omit<Row, 'name'> {
  if (!told) return { value: 'not told yet', explanation: 'Zendesk tells it with its answers.' }
  const { limit, remaining } = told
  return {
    value: `${remaining} of ${limit} left`,
    style: remaining < limit / 10 ? 'warn' : 'good',
    explanation: 'Calls of all integrations of the account in this minute, as Zendesk told last.',
  }
}

function redisRow({ state, errorCode }: Status['redis']): Omit<Row, 'name'> {
  switch (state) {
    case 'connected':
      return { value: state, style: 'good', explanation: 'Replicas share budget, pauses and rate limits.' }
    case 'disconnected':
      return {
        value: errorCode === null ? state : `${state}: ${errorCode}`,
        style: 'warn',
        explanation: 'This replica counts for itself. Renewals continue.',
      }
    case 'not-configured':
      return {
        value: 'not configured',
        explanation: 'This replica keeps budget, pauses and rate limits to itself.',
      }
  }
}
