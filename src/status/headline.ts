import type { Status } from './status.js'

/** What matters most about a state, in a few words and a sentence. */
export interface Headline {
  style: 'good' | 'warn' | 'bad'
  state: string
  explanation: string
}

/** The first of these that is true. */
export function headlineOf({ phase, credentials, breaker, pausedForSeconds, redis }: Status): Headline {
  if (phase === 'overloaded')
    return bad('Overloaded', 'The event loop is late. Callers get 503 service-unavailable.')
  if (phase !== 'ready')
    return warn(
      phase === 'starting' ? 'Starting' : 'Stopping',
      'Not ready: load balancers send new requests to other replicas.',
    )
  if (credentials === 'rejected')
    return bad(
      'Zendesk rejects the credentials',
      'Callers get 502 zendesk-credentials-rejected until somebody corrects them. Run the doctor.',
    )
  if (breaker !== 'closed')
    return bad(
      `Circuit breaker ${breaker}`,
      'Zendesk keeps failing. Callers get 503 zendesk-unavailable at once. The breaker closes by itself when a call succeeds.',
    )
  if (pausedForSeconds > 0)
    return warn(
      `Paused for ${pausedForSeconds} s`,
      'Zendesk is rate-limiting this service. Callers get 429 zendesk-rate-limited with retry-after, or wait if their deadline allows it.',
    )
  if (redis.state === 'disconnected')
    return warn(
      'Renewals work, without Redis',
      'This replica counts for itself until Redis is connected again.',
    )
  if (credentials === 'unverified')
    return warn('Ready, no renewal yet', 'The first renewal shows whether Zendesk accepts the credentials.')
  return { style: 'good', state: 'Renewals work', explanation: 'Zendesk accepts our calls and credentials.' }
}

function bad(state: string, explanation: string): Headline {
  return { style: 'bad', state, explanation }
}

function warn(state: string, explanation: string): Headline {
  return { style: 'warn', state, explanation }
}
