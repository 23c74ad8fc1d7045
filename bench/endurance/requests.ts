import { catalogue, type ProblemCode } from '../../src/problems/catalogue.js'
import { Callers, steadyLoad, type CallerRequest, type Outcome, type Rate } from '../load/callers.js'
import { Tally } from '../load/tally.js'
import { CALLER_HEADERS, CALLER_KEY, RENEWAL_PATH, ZENDESK_PATH } from '../service.js'
import type { Check } from '../verdict.js'
import { problemsOfFaults } from './faults.js'
import type { Random } from './random.js'
import { DEADLINE_MS } from './replicas.js'

const WITHIN_MS = DEADLINE_MS + 250

/** A request, and how it may end: `token`, or problems that are accurate for it. */
interface Kind {
  request: Omit<CallerRequest, 'origin'>
  codes: string[]
}

interface Load extends Rate {
  /** Asked anew for each request: replicas come and go. */
  origin: (index: number) => string
  kind: () => Kind
}

/** Requests at a steady rate, whatever happens, each judged against what its caller was to get. */
export async function send(load: Load): Promise<{ tally: Tally; checks: Check[] }> {
  const callers = new Callers(500)
  const [tally, violations] = [new Tally(), new Tally()]
  await steadyLoad(load, async (index) => {
    const { request, codes } = load.kind()
    const outcome = await callers.ask({ ...request, origin: load.origin(index) })
    tally.add(outcome)
    const violation = violationOf(outcome, codes)
    if (violation !== undefined) violations.add({ code: violation })
  })
  await callers.close()
  return {
    tally,
    checks: [
      {
        expected: `every caller gets a token or an accurate problem within ${WITHIN_MS} ms, and what the load itself was late meanwhile`,
        found: violations.summary() || `${tally.all}, the slowest after ${tally.quantileMs(1).toFixed(0)} ms`,
        passed: violations.all === 0,
      },
      { expected: 'some callers get a token', found: tally.summary(), passed: tally.tokens > 0 },
    ],
  }
}

/** What is wrong with this answer; undefined where nothing is. */
function violationOf(outcome: Outcome, codes: string[]): string | undefined {
  const { code, status, headers, body, ms, lagMs } = outcome
  if (code === 'left') return undefined
  if (ms - lagMs > WITHIN_MS) return `${code} after ${ms.toFixed(0)} ms, ${lagMs.toFixed(0)} of them our own`
  if (!codes.includes(code)) return `${code}, which is not accurate here`
  const agrees =
    code === 'token'
      ? Object.keys(body).join() === 'authenticity_token' && headers['cache-control'] === 'no-store'
      : headers['content-type'] === 'application/problem+json' &&
        body['status'] === status &&
        body['title'] === catalogue[code as ProblemCode].title &&
        body['requestId'] === headers['x-request-id'] &&
        String(body['retryAfter']) === String(headers['retry-after'])
  return agrees ? undefined : `${code} whose document and headers disagree`
}

/** With a valid key, on any path of the renewal, in any permitted way. */
export function validRequest(random: Random): Kind {
  const request = random.pick<Kind['request']>([
    { path: RENEWAL_PATH, headers: CALLER_HEADERS },
    { path: RENEWAL_PATH, headers: CALLER_HEADERS, method: 'POST' },
    { path: ZENDESK_PATH, headers: { authorization: basic } },
  ])
  return { request, codes: ['token', ...problemsOfFaults, 'service-unavailable'] }
}

/** Mostly valid; also wrong keys, foreign origins, unknown paths, and callers who hang up early. */
export function anyRequest(random: Random): Kind {
  const { request, codes } = validRequest(random)
  const draw = random.next()
  const refused = (more: object, ...expected: ProblemCode[]) => ({
    request: { ...request, ...more },
    codes: [...expected, 'service-unavailable'],
  })
  if (draw < 0.8) return { request, codes }
  if (draw < 0.85) return { request: { ...request, leaveAfterMs: Math.round(random.between(1, 60)) }, codes }
  if (draw < 0.9) return refused({ headers: unknownKey }, 'caller-not-authenticated', 'caller-rate-limited')
  if (draw < 0.95) return refused({ headers: foreignOrigin }, 'origin-not-allowed')
  return refused({ path: `/unknown/${draw}`, method: 'GET' }, 'not-found')
}

const basic = `Basic ${Buffer.from(`bench:${CALLER_KEY}`).toString('base64')}`
const unknownKey = { authorization: 'Bearer unknown-key' }
const foreignOrigin = { ...CALLER_HEADERS, origin: 'https://elsewhere.example' }
