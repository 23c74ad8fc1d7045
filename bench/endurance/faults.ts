import { setTimeout as delay } from 'node:timers/promises'
import { catalogue, type ProblemCode } from '../../src/problems/catalogue.js'
import type { Fault, SandboxZendesk } from '../../test/sandbox/zendesk.js'
import type { Random } from './random.js'

/** Problems that are accurate while these faults last: our credentials and address are always right. */
const ours = ['zendesk-credentials-rejected', 'zendesk-account-not-found', 'zendesk-untrusted']
export const problemsOfFaults = (Object.keys(catalogue) as ProblemCode[]).filter(
  (code) => code.startsWith('zendesk-') && !ours.includes(code),
)

const onTheWire = ['silence', 'endless', 'reset', 'reset-mid-body', 'cut-head', 'garbage'] as const
const bodies = ['declared-huge', 'bad-gzip', 'gzip-bomb', 'redirect', 'echo'] as const
const statuses = [403, 409, 500, 503, 504, 520]
const faults: readonly [Fault, ...Fault[]] = [
  { kind: 'delay', ms: 300 },
  { kind: 'delay', ms: 3_000 },
  { kind: 'drip', ms: 20 },
  { kind: 'drip-head', ms: 20 },
  { kind: 'reset', times: 2 },
  { kind: 'body', body: '{}' },
  { kind: 'body', body: '<html>maintenance</html>', contentType: 'text/html' },
  { kind: 'status', status: 403, shape: 'cf-challenge' },
  { kind: 'status', status: 429, headers: { 'Retry-After': '1' } },
  { kind: 'status', status: 429, headers: { 'Retry-After': '3' }, times: 1 },
  { kind: 'status', status: 502, times: 1 },
  { kind: 'status', status: 503, shape: 'database-timeout', headers: { 'Retry-After': '1' } },
  ...[...onTheWire, ...bodies].map((kind) => ({ kind })),
  ...statuses.map((status) => ({ kind: 'status' as const, status })),
]

/** Faults of Zendesk in random order, with healthy times between them, until the signal; resolves with their number. */
export async function faultSchedule(zendesk: SandboxZendesk, random: Random, signal: AbortSignal) {
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
