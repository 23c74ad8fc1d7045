import t from 'tap'
import { Problem } from '../src/problems/problem.js'
import { judgeIdentity, judgeRenewal, judgeToken, type Answer } from '../src/zendesk/judge.js'

t.test('every refusal that Zendesk is known to send has its code', (t) => {
  const challenge = { 'cf-mitigated': 'challenge', 'content-type': 'text/html; charset=UTF-8' }
  const forbidden = '{"error":{"title":"Forbidden","message":"You do not have access to this page."}}'
  const scopes = '{"error":"Forbidden","description":"You are missing the following required scopes: read"}'
  const nobody = '{"error":{"title":"No help desk at acme.zendesk.com","message":"There is no help desk"}}'
  const rows: [status: number, body: string, code: string, headers?: Answer['headers']][] = [
    [401, `{"error":"Couldn't authenticate you"}`, 'zendesk-credentials-rejected'],
    [401, '{"error":"invalid_token","error_description":"expired"}', 'zendesk-credentials-rejected'],
    [401, '', 'zendesk-credentials-rejected'],
    [403, forbidden, 'zendesk-permission-denied'],
    [403, scopes, 'zendesk-permission-denied'],
    [403, page('Access denied'), 'zendesk-permission-denied', { 'x-zendesk-api-version': 'v2' }],
    [403, page('Forbidden'), 'zendesk-permission-denied'],
    [403, 'error code: 1010', 'zendesk-permission-denied', { 'x-zendesk-zorg': 'yes' }],
    [403, 'the error code: 1010 is ours', 'zendesk-permission-denied'],
    [403, '', 'zendesk-permission-denied', { 'cf-ray': '8d1f-SEA' }],
    ...[1006, 1009, 1010, 1020].map((code): [number, string, string] => [
      403,
      `error code: ${code}\n`,
      'zendesk-blocked',
    ]),
    [403, page('Access denied'), 'zendesk-blocked'],
    [403, page('Attention Required! | Cloudflare'), 'zendesk-blocked'],
    [403, page('Sorry'), 'zendesk-blocked', { 'cf-ray': '8d1f-SEA' }],
    [403, forbidden, 'zendesk-blocked', { 'cf-mitigated': 'block', 'x-zendesk-api-version': 'v2' }],
    [401, '', 'zendesk-blocked', { 'cf-mitigated': ['challenge', 'challenge'] }],
    [403, page('Just a moment...'), 'zendesk-blocked', challenge],
    [503, page('Just a moment...'), 'zendesk-blocked', challenge],
    [404, nobody, 'zendesk-account-not-found'],
    [404, nobody, 'zendesk-account-not-found', { 'content-type': 'text/plain; charset=UTF-8' }],
    [404, `\uFEFF${nobody}`, 'zendesk-account-not-found'],
    [404, page('Help Center Closed | Zendesk'), 'zendesk-account-not-found'],
    [404, '{"error":"InvalidEndpoint","description":"Not found"}', 'zendesk-error'],
    [404, '{"error":"RecordNotFound","description":"Not found"}', 'zendesk-error'],
    [404, '{"error":{"title":"Forbidden","message":"No help desk at acme.zendesk.com"}}', 'zendesk-error'],
    [404, '', 'zendesk-error'],
    [400, '{"errors":[{"code":"InvalidPaginationDepth","title":"…"}]}', 'zendesk-error'],
    [422, '{"error":"RecordInvalid","details":{"email":[]}}', 'zendesk-error'],
    [429, 'You have exceeded the rate limit for updating a single unique user.', 'zendesk-rate-limited'],
    [429, '{"error":"APIRateLimitExceeded"}', 'zendesk-rate-limited'],
    [429, page('429 Too Many Requests'), 'zendesk-rate-limited'],
    ...[300, 301, 302, 303, 304, 307, 308, 399].map((status) => plain(status, 'zendesk-redirected')),
    ...[408, 504].map((status) => plain(status, 'zendesk-timeout')),
    ...[502, 503, 520, 521, 522, 523, 524, 525, 526, 527, 530].map((status) =>
      plain(status, 'zendesk-unavailable'),
    ),
    ...[201, 204, 299, 406, 409, 410, 500, 501, 505, 519, 528, 529].map((status) =>
      plain(status, 'zendesk-error'),
    ),
  ]
  for (const [status, body, code, headers] of rows) {
    for (const verdict of [judgeRenewal, judgeIdentity].map((judge) =>
      judge(answer(status, body, headers)),
    )) {
      t.equal(codeOf(verdict), code, `${status} ${body}`)
      t.same(verdict instanceof Problem && verdict.zendesk, { status }, `${status} is told`)
    }
  }
  t.end()
})

t.test('a token is taken whatever the content type says, and handed on unchanged', (t) => {
  const token = 'kZl9vWx3-QpT_7yB'.repeat(5) + 'aZ09-_'
  const body = `{"authenticity_token":"${token}"}`
  for (const type of ['application/json; charset=utf-8', 'text/plain; charset=UTF-8', 'text/html', undefined])
    t.equal(judgeRenewal(answer(200, body, { 'content-type': type })), token, type ?? 'no content type')
  t.equal(judgeRenewal(answer(200, ` \r\n${body}\n`)), token, 'with blanks around it')
  t.equal(judgeRenewal(answer(200, `\uFEFF${body}`)), token, 'after a byte order mark')
  t.equal(
    judgeRenewal(answer(200, '{"a":[],"authenticity_token":"old+/base64==","error":"x"}')),
    'old+/base64==',
  )
  t.equal(judgeRenewal(answer(200, '{"authenticity_token":"\\ud83d\\ude00 é"}')), '😀 é')
  t.end()
})

t.test('each answer says whether another try makes sense, and whether Zendesk is down', (t) => {
  const both = { isTransient: true, isOutage: true }
  const rows: [statuses: number[], marks: { isTransient: boolean; isOutage: boolean }][] = [
    [[502, 503, 520, 527, 530, 504], both],
    [[429], { isTransient: true, isOutage: false }],
    [[408, 500, 501, 505, 519, 528, 599], { isTransient: false, isOutage: true }],
    [[204, 302, 400, 401, 403, 404, 422], { isTransient: false, isOutage: false }],
  ]
  for (const [statuses, marks] of rows)
    for (const status of statuses) t.match(judgeRenewal(answer(status, '')), marks, String(status))
  t.match(judgeRenewal(answer(200, '{}')), { isTransient: false, isOutage: false })
  t.match(new Problem('zendesk-unavailable'), both)
  t.match(new Problem('zendesk-timeout'), { isTransient: false, isOutage: true })
  t.match(new Problem('zendesk-rate-limited'), { isTransient: false, isOutage: false }, 'told by ourselves')
  t.end()
})

t.test('a token has at most 4 KiB', (t) => {
  const token = (text: string) => judgeRenewal(answer(200, JSON.stringify({ authenticity_token: text })))
  for (const longest of ['A'.repeat(4096), 'é'.repeat(2048)]) t.equal(token(longest), longest)
  for (const longer of ['A'.repeat(4097), 'é'.repeat(2049), 'A'.repeat(255_000)])
    t.equal(codeOf(token(longer)), 'zendesk-bad-response')
  t.end()
})

t.test('a 200 without a usable token is a bad response', (t) => {
  const values = [
    '""',
    'null',
    'true',
    '1',
    '["t"]',
    '{"t":"t"}',
    '"\\ud800"',
    '"a\\udc00"',
    '"\\ud800\\ud800"',
  ]
  const bodies: (string | Uint8Array | undefined)[] = [
    ...values.map((value) => `{"authenticity_token":${value}}`),
    undefined,
    '',
    'null',
    '"authenticity_token"',
    '{"token":"t"}',
    '{"Authenticity_Token":"t"}',
    '{"session":{"authenticity_token":"t"}}',
    '[{"authenticity_token":"t"}]',
    '{"__proto__":{"authenticity_token":"t"}}',
    '{"constructor":{"prototype":{"authenticity_token":"t"}}}',
    '{"authenticity_token":"t"',
    '{"authenticity_token":"t"}{"authenticity_token":"t"}',
    page('Sign in'),
    Buffer.from('{"authenticity_token":"t\xff"}', 'latin1'),
    Buffer.from('{"authenticity_token":"t"}', 'utf16le'),
  ]
  for (const body of bodies) {
    const verdict = judgeRenewal(answer(200, body))
    t.equal(codeOf(verdict), 'zendesk-bad-response', String(body))
    t.same(verdict instanceof Problem && verdict.zendesk, { status: 200 })
  }
  t.end()
})

t.test('an access token comes with any success, and with any idea of its lifetime', (t) => {
  const rows: [expiresIn: string, lifetimeSeconds: number | undefined][] = [
    ['', undefined],
    [',"expires_in":1800', 1800],
    [',"expires_in":"1800"', 1800],
    [',"expires_in":0', 0],
    [',"expires_in":-5', 0],
    ...['null', '"soon"', '""', '" "', 'true', '[1800]', '{}', '"Infinity"', '1e999'].map(
      (value): [string, undefined] => [`,"expires_in":${value}`, undefined],
    ),
  ]
  for (const [expiresIn, lifetimeSeconds] of rows) {
    const body = `{"access_token":"abc","token_type":"bearer"${expiresIn}}`
    for (const status of [200, 201, 202, 299])
      t.same(judgeToken(answer(status, body)), { value: 'abc', lifetimeSeconds }, `${status} ${body}`)
  }
  for (const value of [
    '""',
    '"a b"',
    '"a\\r\\nx: y"',
    '"é"',
    'null',
    '7',
    '["abc"]',
    '{"access_token":"abc"}',
  ])
    t.equal(codeOf(judgeToken(answer(200, `{"access_token":${value}}`))), 'zendesk-bad-response', value)
  for (const body of ['', '{}', 'null', page('Sign in'), '{"__proto__":{"access_token":"abc"}}'])
    t.equal(codeOf(judgeToken(answer(201, body))), 'zendesk-bad-response', body)
  t.end()
})

t.test('what the token endpoint refuses is told apart', (t) => {
  const rows: [status: number, body: string, code: string][] = [
    [401, '{"error":"invalid_client","error_description":"…"}', 'zendesk-credentials-rejected'],
    [400, '{"error":"invalid_scope"}', 'zendesk-credentials-rejected'],
    [400, '{"error":"invalid_grant"}', 'zendesk-credentials-rejected'],
    [403, '{"error":"Forbidden"}', 'zendesk-permission-denied'],
    [404, '{"error":"InvalidEndpoint","description":"Not found"}', 'zendesk-error'],
    [404, '{"error":{"title":"No help desk at acme.zendesk.com"}}', 'zendesk-account-not-found'],
    [302, '', 'zendesk-redirected'],
    [429, '', 'zendesk-rate-limited'],
    [500, '', 'zendesk-error'],
    [502, '', 'zendesk-unavailable'],
    [504, '', 'zendesk-timeout'],
  ]
  for (const [status, body, code] of rows)
    t.equal(codeOf(judgeToken(answer(status, body))), code, `${status} ${body}`)
  t.end()
})

t.test('a 200 does not prove that Zendesk knows us: the id of the user does', (t) => {
  const user = (fields: string) => judgeIdentity(answer(200, `{"user":{${fields}}}`))
  t.same(user('"id":35436,"name":"Agent","role":"agent"'), { id: 35436, role: 'agent' })
  t.same(user('"id":null,"name":"Anonymous user","role":"end-user"'), { id: null, role: 'end-user' })
  t.same(user('"name":"Anonymous user"'), { id: null, role: null })
  for (const body of [
    '{}',
    '{"user":null}',
    '{"user":"x"}',
    '{"__proto__":{"user":{"id":1}}}',
    page('Sign in'),
    '',
  ])
    t.equal(codeOf(judgeIdentity(answer(200, body))), 'zendesk-bad-response', body)
  t.end()
})

function answer(
  status: number,
  body: string | Uint8Array | undefined,
  headers: Answer['headers'] = {},
): Answer {
  return { status, headers, body: typeof body === 'string' ? Buffer.from(body) : body, zendeskMs: 1 }
}

function page(title: string): string {
  return `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body></body></html>\n`
}

function plain(status: number, code: string): [number, string, string] {
  return [status, '', code]
}

function codeOf(verdict: unknown): string {
  return verdict instanceof Problem ? verdict.code : 'no problem'
}
