import { setTimeout as delay } from 'node:timers/promises'
import type { ProblemCode } from '../../src/problems/catalogue.js'
import type { Fault, SandboxZendesk } from '../../test/sandbox/zendesk.js'
import type { Random } from './random.js'

/** Faults of Zendesk in random order, with healthy times between them, until the signal; resolves with their number. */
export async function faultSchedule(
  zendesk: SandboxZendesk,
  random: Random,
  signal: AbortSignal,
): Promise<number> {
  let count = 0
  while (await waited(random.between(300, 2_000), signal)) {
    zendesk.misbehave(random.pick(faults))
    if (random.next() < 0.1) zendesk.revokeTokens()
    count += 1
    await waited(random.between(200, 2_500), signal)
    zendesk.heal()
  }
  return count
}

/** False where the signal came first. */
export async function waited(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  return delay(milliseconds, true, { signal }).catch(() => false)
}

/** Problems that are accurate while these faults last. Our credentials are always valid: a problem that says otherwise is wrong. */
export const problemsOfFaults: readonly ProblemCode[] = [
  'zendesk-bad-response',
  'zendesk-blocked',
  'zendesk-error',
  'zendesk-permission-denied',
  'zendesk-rate-limited',
  'zendesk-redirected',
  'zendesk-timeout',
  'zendesk-unavailable',
]

const faults: readonly [Fault, ...Fault[]] = [
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
