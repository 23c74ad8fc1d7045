import { escape, page, prose, tag } from '../page.js'
import { headlineOf } from './headline.js'
import type { Status } from './status.js'

/** How often a browser reloads the page by itself. */
export const RELOAD_SECONDS = 5

/** The same for a person, in plain HTML. `reloads` says whether the browser will load it again by itself. */
export function statusPage(status: Status, reloads: boolean, now = new Date()): string {
  const { version, replica, startedAt, zendesk } = status
  const { style, state, explanation } = headlineOf(status)
  return page({
    title: state,
    body: `<nav aria-label="Service"><b>zendesk-session-proxy</b> <a href="metrics">Metrics</a></nav>
<main>
<h1 class="${style}">${escape(state)}</h1>
<p>${prose(explanation)}</p>
<p class="soft">Account <code>${escape(zendesk)}</code>, replica <code>${escape(replica)}</code>, version ${escape(version)},
up for ${duration(Date.parse(startedAt), now)}.</p>
<h2>Now</h2>
<table><tbody>
${rowsOf(status).map(row).join('\n')}
</tbody></table>
<h2>Renewals by outcome</h2>
${outcomeTable(status, now)}
<p class="soft">As of ${now.toISOString().slice(11, 19)} UTC. ${reloads ? RELOADING : STOPPED}
As JSON: <code>curl -H 'accept: application/json'</code> with this address.</p>
</main>`,
  })
}

// WCAG 2.2, criterion 2.2.1: a person can turn the reloading off.
const RELOADING = `Reloads every ${RELOAD_SECONDS} seconds; <a href="status?reload=no">stop reloading</a>.`
const STOPPED = `Does not reload; <a href="status">reload every ${RELOAD_SECONDS} seconds</a>.`

interface Row {
  name: string
  value: string
  /** Absent where the value is neither good nor bad. */
  style?: 'good' | 'warn' | 'bad'
  explanation: string
}

function rowsOf({
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

const PHASE = {
  starting: { style: 'warn', explanation: 'It does not accept requests yet.' },
  ready: { style: 'good', explanation: 'It accepts requests.' },
  overloaded: { style: 'bad', explanation: 'It refuses requests because its event loop is late.' },
  draining: {
    style: 'warn',
    explanation: 'It still accepts requests while load balancers turn to other replicas.',
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

function row({ name, value, style, explanation }: Row): string {
  const shown = style ? tag(style, value) : escape(value)
  return `<tr><th scope="row">${name}</th><td><div class="fact"><span>${shown}</span>
<span class="soft">${prose(explanation)}</span></div></td></tr>`
}

function outcomeTable({ outcomes }: Status, now: Date): string {
  if (outcomes.length === 0) return '<p>No renewals since the start.</p>'
  const rows = outcomes.map(
    ({ code, lastMinute, sinceStart, lastAt }) => `<tr><td><code>${escape(code)}</code></td>
<td class="number">${lastMinute}</td><td class="number">${sinceStart}</td>
<td class="number">${duration(Date.parse(lastAt), now)} ago</td></tr>`,
  )
  return `<table><thead><tr><th scope="col">Outcome</th><th scope="col" class="number">Last minute</th>
<th scope="col" class="number">Since start</th><th scope="col" class="number">Latest</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table>`
}

/** In its largest unit. */
function duration(since: number, now: Date): string {
  const seconds = Math.max(Math.round((now.getTime() - since) / 1000), 0)
  if (seconds < 120) return `${seconds} s`
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}
