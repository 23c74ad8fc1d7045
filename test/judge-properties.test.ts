import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Problem, problemDocument, problemHeaders } from '../src/problems/problem.js'
import { judgeIdentity, judgeRenewal, judgeToken, type Answer } from '../src/zendesk/judge.js'
import { anyText } from './support/any-text.js'

/** Contract, section 4: what an answer from Zendesk can become. */
const CODES = [
  'rate-limited',
  'credentials-rejected',
  'permission-denied',
  'blocked',
  'account-not-found',
  'redirected',
  'bad-response',
  'error',
  'unavailable',
  'timeout',
].map((name) => `zendesk-${name}`)

t.test("Zendesk's request id is shown once, and only if it is harmless", (t) => {
  const id = '6aec35f5ce4d51d7-SEA'
  const rows: [headers: Answer['headers'], shown: string | undefined][] = [
    [{}, undefined],
    [{ 'x-request-id': id }, id],
    [{ 'x-request-id': `${id}, ${id}` }, id],
    [{ 'x-request-id': `${id},${id}` }, id],
    [{ 'x-request-id': [id, id] }, id],
    [{ 'x-request-id': [`${id}, ${id}`, 'other'] }, id],
    [{ 'x-request-id': `${id}, other` }, id],
    [{ 'x-zendesk-request-id': id }, id],
    [{ 'x-zendesk-request-id': [id, id] }, id],
    [{ 'x-request-id': id, 'x-zendesk-request-id': 'other' }, id],
    [{ 'x-request-id': 'a'.repeat(64) }, 'a'.repeat(64)],
    ...['a'.repeat(65), '', 'under_score', 'two words', '<b>', 'a\nb', 'é', 'a=', 'a;b', 'a.b'].map(
      (bad): [Answer['headers'], undefined] => [{ 'x-request-id': bad }, undefined],
    ),
  ]
  for (const [headers, requestId] of rows) {
    for (const status of [200, 429, 500]) {
      const expected = requestId === undefined ? { status } : { status, requestId }
      t.same(problemOf(judgeRenewal(answer(status, headers))).zendesk, expected, JSON.stringify(headers))
    }
  }
  t.end()
})

t.test('the wait is whole seconds from 1 to 600, and 10 where a 429 does not tell', (t) => {
  const date = 'Wed, 04 Nov 2026 10:00:00 GMT'
  const rows: [headers: Answer['headers'], seconds: number | undefined][] = [
    [{ 'retry-after': '27' }, 27],
    [{ 'retry-after': '93' }, 93],
    [{ 'retry-after': ' 27 ' }, 27],
    [{ 'retry-after': '27, 27' }, 27],
    [{ 'retry-after': ['27', '27'] }, 27],
    [{ 'retry-after': '0' }, 1],
    [{ 'retry-after': '600' }, 600],
    [{ 'retry-after': '601' }, 600],
    [{ 'retry-after': '9999' }, 600],
    [{ 'retry-after': '9'.repeat(400) }, 600],
    [{ 'retry-after': 'Wed, 04 Nov 2026 10:00:30 GMT', date }, 30],
    [{ 'retry-after': 'Wed, 04 Nov 2026 12:00:00 GMT', date }, 600],
    [{ 'retry-after': 'Wed, 04 Nov 2026 09:59:00 GMT', date }, 1],
    [{ 'retry-after': 'Wed, 99 Nov 2026 10:00:30 GMT', date }, undefined],
    ...[undefined, '', '-5', '1.5', '1e2', '0x10', 'soon', 'NaN', 'Infinity', '٣'].map(
      (bad): [Answer['headers'], undefined] => [{ 'retry-after': bad, date }, undefined],
    ),
  ]
  for (const [headers, seconds] of rows) {
    const told = JSON.stringify(headers)
    t.equal(problemOf(judgeRenewal(answer(429, headers))).retryAfter, seconds ?? 10, `429 ${told}`)
    t.equal(problemOf(judgeRenewal(answer(503, headers))).retryAfter, seconds, `503 ${told}`)
  }
  t.end()
})

t.test('any text at all that has a UTF-8 form can be a token', (t) => {
  const property = fc.property(anyText({ minLength: 1 }), (token) => {
    const body = Buffer.from(JSON.stringify({ authenticity_token: token }))
    assert.equal(judgeRenewal({ status: 200, headers: {}, body, zendeskMs: 1 }), token)
  })
  t.doesNotThrow(() => {
    fc.assert(property, { numRuns: 500 })
  })
  t.end()
})

t.test(
  'whatever Zendesk sends is a good value or a known problem, and no text of it is in the problem',
  (t) => {
    const codes = new Set<string>()
    const property = fc.property(marked(), ([marker, given]) => {
      const token = judgeRenewal(given)
      if (typeof token === 'string') assert.ok(token !== '' && token.isWellFormed() && given.status === 200)
      const access = judgeToken(given)
      if (!(access instanceof Problem)) {
        assert.match(access.value, /^[\w.~+/-]+=*$/)
        assert.ok((access.lifetimeSeconds ?? 0) >= 0 && Number.isFinite(access.lifetimeSeconds ?? 0))
      }
      for (const verdict of [token, access, judgeIdentity(given)]) {
        if (!(verdict instanceof Problem)) continue
        checkProblem(verdict, marker, given.status)
        codes.add(verdict.code)
      }
    })
    t.doesNotThrow(() => {
      fc.assert(property, { numRuns: 3000 })
    })
    t.same([...codes].sort(), [...CODES].sort(), 'the property has seen every problem')
    t.end()
  },
)

function checkProblem(problem: Problem, marker: string, status: number): void {
  assert.ok(CODES.includes(problem.code))
  const shown = JSON.stringify([problemDocument(problem, 'our-id'), problemHeaders(problem)])
  assert.ok(!shown.includes(marker), shown)
  assert.equal(problem.zendesk?.status, status)
  assert.match(problem.zendesk.requestId ?? 'none', /^[A-Za-z0-9-]{1,64}$/)
  const { retryAfter = 1 } = problem
  assert.ok(Number.isInteger(retryAfter) && retryAfter >= 1 && retryAfter <= 600)
  if (problem.code === 'zendesk-rate-limited') assert.notEqual(problem.retryAfter, undefined)
}

/** An answer full of a marker, which has a character that no request id may have and so must show up nowhere. */
function marked(): fc.Arbitrary<[marker: string, answer: Answer]> {
  const marker = fc.stringMatching(/^canary_[0-9a-f]{8}$/)
  return marker.chain((one) => fc.tuple(fc.constant(one), answerWith(one)))
}

function answerWith(marker: string): fc.Arbitrary<Answer> {
  const often = fc.constantFrom(200, 201, 302, 400, 401, 403, 404, 408, 429, 503, 504)
  return fc.record({
    status: fc.oneof(often, fc.integer({ min: 100, max: 999 })),
    headers: headersWith(marker),
    body: fc.option(bodyWith(marker), { nil: undefined }),
    zendeskMs: fc.constant(1),
  })
}

function headersWith(marker: string): fc.Arbitrary<Answer['headers']> {
  const names = ['x-request-id', 'x-zendesk-request-id', 'retry-after', 'date', 'location', 'set-cookie']
  const some = fc.string({ maxLength: 6 })
  const usual = fc.constantFrom('27', '0', '9999', 'a1-SEA', 'challenge', 'Wed, 04 Nov 2026 10:00:30 GMT')
  const hostile = fc.tuple(some, some).map(([before, after]) => before + marker + after)
  const value = fc.oneof(
    usual,
    hostile,
    fc.tuple(usual, hostile).map(([one, other]) => `${one}, ${other}`),
  )
  return fc.dictionary(
    fc.constantFrom(...names, 'www-authenticate', 'cf-mitigated', 'content-type', 'x-zendesk-api-warn'),
    fc.oneof(value, fc.array(value, { maxLength: 3 })),
  )
}

function bodyWith(marker: string): fc.Arbitrary<Uint8Array> {
  const text = fc.oneof(fc.constantFrom(marker, `No help desk at ${marker}`), anyText())
  const leaf = fc.oneof(text, fc.constantFrom('', 0, null, 1800))
  const inner = fc.dictionary(fc.constantFrom('title', 'id', 'role', marker), leaf)
  const names = ['authenticity_token', 'access_token', 'expires_in', 'user', 'error', '__proto__', marker]
  const json = fc
    .dictionary(fc.constantFrom(...names), fc.oneof(leaf, inner))
    .map((value) => JSON.stringify(value))
  const page = fc.constantFrom(`<title>Help Center Closed ${marker}</title>`, marker)
  const cut = fc.tuple(json, fc.nat(60)).map(([whole, at]) => whole.slice(0, at) + marker)
  return fc.oneof(
    fc.oneof(json, page, cut).map((body) => Buffer.from(body)),
    fc.uint8Array({ maxLength: 60 }),
  )
}

function answer(status: number, headers: Answer['headers']): Answer {
  return { status, headers, body: undefined, zendeskMs: 1 }
}

function problemOf(verdict: unknown): Problem {
  if (verdict instanceof Problem) return verdict
  throw new Error('expected a problem')
}
