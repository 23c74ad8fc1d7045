import type { ProblemCode } from '../../src/problems/catalogue.js'
import { Callers, steadyLoad, type CallerRequest } from '../load/callers.js'
import { Tally } from '../load/tally.js'
import { CALLER_HEADERS, CALLER_KEY, RENEWAL_PATH } from '../service.js'
import type { Check } from '../verdict.js'
import { violation, type Expected } from './expected.js'
import { problemsOfFaults } from './faults.js'
import type { Random } from './random.js'

type Kind = { request: Omit<CallerRequest, 'origin'> } & Pick<Expected, 'problems' | 'token'>

export interface Load {
  /** Asked anew for each request: replicas come and go. */
  origin: (index: number) => string
  perSecond: number
  seconds: number
  withinMs: number
  kind: () => Kind
  onSecond?: (second: number) => void
}

/** How a load ended, judged against what each caller was to get. */
export interface Outcome {
  tally: Tally
  checks: Check[]
}

/** Requests at a steady rate, whatever happens. */
export async function send({ origin, withinMs, kind, ...load }: Load): Promise<Outcome> {
  const callers = new Callers(withinMs + 1_000, 500)
  const tally = new Tally()
  const violations = new Map<string, number>()
  await steadyLoad(load, async (index) => {
    const { request, ...expected } = kind()
    const outcome = await callers.ask({ ...request, origin: origin(index) })
    tally.add(outcome)
    const found = violation(outcome, { ...expected, withinMs: withinMs + callers.worstLagMs })
    if (found !== undefined) violations.set(found, (violations.get(found) ?? 0) + 1)
  })
  await callers.close()
  const examples = [...violations].slice(0, 5).map(([text, count]) => `${text} ×${count}`)
  const slowest = `the slowest after ${tally.quantileMs(1).toFixed(0)} ms, our own event loop at most ${callers.worstLagMs.toFixed(0)} ms late`
  return {
    tally,
    checks: [
      {
        expected: `every caller gets a token or an accurate problem within ${withinMs} ms`,
        found: examples.length === 0 ? `${tally.asked} of ${tally.asked}, ${slowest}` : examples.join('; '),
        passed: examples.length === 0,
      },
      { expected: 'some callers get a token', found: tally.summary(), passed: tally.tokens > 0 },
    ],
  }
}

/** With a valid key, on any path of the renewal, in any permitted way. */
export function validRequest(random: Random): Kind {
  return {
    request: random.pick([
      { path: RENEWAL_PATH, headers: CALLER_HEADERS },
      { path: RENEWAL_PATH, headers: CALLER_HEADERS, method: 'POST' },
      { path: '/api/v2/users/me/session/renew', headers: { authorization: basic } },
    ]),
    problems: renewalProblems,
    token: true,
  }
}

/** Mostly valid; also wrong keys, foreign origins, unknown paths, and callers who hang up early. */
export function anyRequest(random: Random): Kind {
  const valid = validRequest(random)
  const draw = random.next()
  if (draw < 0.8) return valid
  if (draw < 0.85)
    return { ...valid, request: { ...valid.request, leaveAfterMs: Math.round(random.between(1, 60)) } }
  if (draw < 0.9) return refused(valid, { authorization: 'Bearer unknown-key' }, unknownCallerProblems)
  if (draw < 0.95) return refused(valid, { origin: 'https://elsewhere.example' }, foreignOriginProblems)
  return { request: { path: `/unknown/${draw}` }, problems: unknownPathProblems, token: false }
}

const basic = `Basic ${Buffer.from(`bench:${CALLER_KEY}`).toString('base64')}`
const renewalProblems = new Set<ProblemCode>([...problemsOfFaults, 'service-unavailable'])
const unknownCallerProblems = new Set<ProblemCode>([
  'caller-not-authenticated',
  'caller-rate-limited',
  'service-unavailable',
])
const foreignOriginProblems = new Set<ProblemCode>(['origin-not-allowed', 'service-unavailable'])
const unknownPathProblems = new Set<ProblemCode>(['not-found', 'service-unavailable'])

function refused({ request }: Kind, headers: Record<string, string>, problems: Set<ProblemCode>): Kind {
  return { request: { ...request, headers: { ...request.headers, ...headers } }, problems, token: false }
}
