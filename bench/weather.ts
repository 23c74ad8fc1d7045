import type { ProblemCode } from '../src/problems/catalogue.js'
import type { Fault, SandboxZendesk } from '../test/sandbox/zendesk.js'
import { lasts } from './interval.js'
import type { Random } from './random.js'

/** Good and bad hours of Zendesk's, by chance, until the signal; then all is well again. */
export async function weather(zendesk: SandboxZendesk, random: Random, signal: AbortSignal): Promise<number> {
  let faults = 0
  while (await lasts(random.between(300, 2_000), signal)) {
    zendesk.misbehave(random.pick(badHours))
    if (random.next() < 0.1) zendesk.revokeTokens()
    faults += 1
    await lasts(random.between(200, 2_500), signal)
    zendesk.heal()
  }
  return faults
}

/** What may truly be said to a caller in such weather. Our credentials are always good: who says otherwise is wrong. */
export const truthsOfWeather: ReadonlySet<ProblemCode> = new Set([
  'zendesk-bad-response',
  'zendesk-blocked',
  'zendesk-error',
  'zendesk-permission-denied',
  'zendesk-rate-limited',
  'zendesk-redirected',
  'zendesk-timeout',
  'zendesk-unavailable',
])

const badHours: readonly [Fault, ...Fault[]] = [
  { kind: 'delay', ms: 300 },
  { kind: 'delay', ms: 3_000 },
  { kind: 'silence' },
  { kind: 'drip', ms: 20 },
  { kind: 'drip-head', ms: 20 },
  { kind: 'endless' },
  { kind: 'declared-huge' },
  { kind: 'reset' },
  { kind: 'reset', times: 2 },
  { kind: 'reset-mid-body' },
  { kind: 'cut-head' },
  { kind: 'garbage' },
  { kind: 'bad-gzip' },
  { kind: 'gzip-bomb' },
  { kind: 'redirect' },
  { kind: 'echo' },
  { kind: 'body', body: '{}' },
  { kind: 'body', body: '<html>maintenance</html>', contentType: 'text/html' },
  { kind: 'status', status: 403 },
  { kind: 'status', status: 403, shape: 'cf-challenge' },
  { kind: 'status', status: 409 },
  { kind: 'status', status: 429, headers: { 'Retry-After': '1' } },
  { kind: 'status', status: 429, headers: { 'Retry-After': '3' }, times: 1 },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 502, times: 1 },
  { kind: 'status', status: 503 },
  { kind: 'status', status: 503, shape: 'database-timeout', headers: { 'Retry-After': '1' } },
  { kind: 'status', status: 504 },
  { kind: 'status', status: 520 },
]
