import type { ProblemCode } from '../src/problems/catalogue.js'
import type { CallerRequest } from './callers.js'
import type { Owed } from './owed.js'
import type { Random } from './random.js'
import { CALLER_HEADERS, CALLER_KEY, RENEWAL_PATH } from './service.js'
import { truthsOfWeather } from './weather.js'

export interface Visit {
  request: Omit<CallerRequest, 'origin'>
  owed: Omit<Owed, 'withinMs'>
}

/** Somebody with a good key, at any address of the renewal, in any way that is allowed. */
export function goodVisit(random: Random): Visit {
  return {
    request: random.pick([
      { path: RENEWAL_PATH, headers: CALLER_HEADERS },
      { path: RENEWAL_PATH, headers: CALLER_HEADERS, method: 'POST' },
      { path: '/api/v2/users/me/session/renew', headers: { authorization: basic } },
    ]),
    owed: { truths },
  }
}

/** Mostly good ones; also strangers, the lost, pages of foreign origins, and those who leave too early. */
export function anyVisit(random: Random): Visit {
  const visit = goodVisit(random)
  const lot = random.next()
  if (lot < 0.8) return visit
  if (lot < 0.85)
    return { ...visit, request: { ...visit.request, leaveAfterMs: Math.round(random.between(1, 60)) } }
  if (lot < 0.9) return refused(visit, { authorization: 'Bearer nobody-has-this-key' }, strangers)
  if (lot < 0.95) return refused(visit, { origin: 'https://elsewhere.example' }, foreigners)
  return { request: { path: `/no/such/place/${lot}` }, owed: { truths: nowhere, token: false } }
}

const basic = `Basic ${Buffer.from(`bench:${CALLER_KEY}`).toString('base64')}`
const truths = new Set<ProblemCode>([...truthsOfWeather, 'service-unavailable'])
const strangers: ProblemCode[] = ['caller-not-authenticated', 'caller-rate-limited', 'service-unavailable']
const foreigners: ProblemCode[] = ['origin-not-allowed', 'service-unavailable']
const nowhere = new Set<ProblemCode>(['not-found', 'service-unavailable'])

function refused({ request }: Visit, headers: Record<string, string>, codes: ProblemCode[]): Visit {
  return {
    request: { ...request, headers: { ...request.headers, ...headers } },
    owed: { truths: new Set(codes), token: false },
  }
}
