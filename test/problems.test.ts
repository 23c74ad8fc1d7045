import t from 'tap'
import { catalogue } from '../src/problems/catalogue.js'
import { ask, speak, startBoth } from './support/helper.js'

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'

/** As they were promised to callers; not read from the code. */
const STATUSES: Record<string, number> = {
  'malformed-request': 400,
  'caller-not-authenticated': 401,
  'caller-not-allowed': 403,
  'origin-not-allowed': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'request-too-large': 413,
  'request-timeout': 408,
  'caller-rate-limited': 429,
  'zendesk-rate-limited': 429,
  'zendesk-credentials-rejected': 502,
  'zendesk-permission-denied': 502,
  'zendesk-blocked': 502,
  'zendesk-account-not-found': 502,
  'zendesk-redirected': 502,
  'zendesk-bad-response': 502,
  'zendesk-error': 502,
  'zendesk-untrusted': 502,
  'zendesk-unavailable': 503,
  'zendesk-timeout': 504,
  'identity-provider-unavailable': 503,
  'service-unavailable': 503,
  'internal-error': 500,
}

t.test('every promised code is in the catalogue, with a text for everybody', (t) => {
  const statuses = Object.entries(catalogue).map(([code, { status }]) => [code, status])
  t.same(Object.fromEntries(statuses), STATUSES)
  for (const [code, { title, ...texts }] of Object.entries(catalogue)) {
    t.match(title, /^[A-Z].*[^.]$/, `${code}: a title is no sentence`)
    for (const text of [texts.detail, texts.meaning, texts.caller, texts.operator])
      t.match(text, /^[A-Z].*\.$/, `${code}: whole sentences`)
  }
  const titles = Object.values(catalogue).map(({ title }) => title)
  t.equal(new Set(titles).size, titles.length, 'no two codes have the same title')
  t.end()
})

t.test('a program that asks for the problems gets JSON', async (t) => {
  const { url, zendesk } = await startBoth(t)
  const list = await ask(`${url}/problems`)
  t.equal(list.status, 200)
  t.equal(list.headers.get('content-type'), 'application/json; charset=utf-8')
  const problems = list.body?.['problems'] as Record<string, unknown>[]
  t.same(problems.map(({ code }) => code).sort(), Object.keys(STATUSES).sort())
  for (const listed of problems) {
    const { type, code } = listed
    t.equal(type, `/problems/${String(code)}`)
    const one = await ask(url + String(type))
    t.equal(one.status, 200)
    t.same(one.body, listed, 'the same as in the list')
    const { status, title, retry, meaning, caller, operator } = catalogue[code as keyof typeof catalogue]
    t.same(one.body, { type, code, status, title, retry, meaning, caller, operator })
  }
  t.equal(zendesk.requests.length, 0)
})

t.test('a browser gets pages instead', async (t) => {
  const { url } = await startBoth(t)
  const headers = { accept: BROWSER }
  const list = await ask(`${url}/problems`, { headers })
  t.equal(list.headers.get('content-type'), 'text/html; charset=utf-8')
  const links = [...list.text.matchAll(/href="(problems\/[^"]+)"/g)].map(([, link = '']) => link)
  t.same(
    links.map((link) => new URL(link, `${url}/problems`).pathname).sort(),
    Object.keys(STATUSES)
      .map((code) => `/problems/${code}`)
      .sort(),
  )
  for (const [code, { title, meaning, caller, operator }] of Object.entries(catalogue)) {
    const page = await ask(`${url}/problems/${code}`, { headers })
    t.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
    t.match(page.headers.get('content-security-policy'), /^default-src 'none'/)
    t.match(page.text, /^<!doctype html>\n<html lang="en">/)
    t.notMatch(page.text, '<script')
    for (const text of [code, title, meaning, caller, operator])
      t.ok(textOf(page.text).includes(text), `${code}: ${text}`)
    t.ok(textOf(page.text).includes(`"type": "/problems/${code}"`), 'an example of the answer')
  }
})

t.test('the accept header decides between the two', async (t) => {
  const { port } = await startBoth(t)
  const json = 'application/json; charset=utf-8'
  const html = 'text/html; charset=utf-8'
  const wishes: [accept: string | undefined, contentType: string][] = [
    [undefined, json],
    ['', json],
    ['*/*', json],
    ['application/json', json],
    ['application/problem+json', json],
    ['text/html;q=0.5, application/json', json],
    ['text/html;q=0', json],
    ['image/*', json],
    ['nonsense;;;', json],
    ['text/html', html],
    ['TEXT/HTML', html],
    ['text/*', html],
    ['application/json;q=0.5, text/html', html],
    [BROWSER, html],
  ]
  for (const path of ['/problems', '/problems/not-found']) {
    for (const [accept, contentType] of wishes) {
      const header = accept === undefined ? '' : `Accept: ${accept}\r\n`
      const answer = await speak(
        port,
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${header}\r\n`,
      )
      t.match(answer, `\r\ncontent-type: ${contentType}\r\n`, `${path} for ${accept ?? 'no wish'}`)
    }
  }
})

t.test('an unknown code or path is not found: a problem for programs, a page for browsers', async (t) => {
  const { url, log } = await startBoth(t, { PUBLIC_URL: 'https://proxy.example/base' })
  const codes = ['no-such-code', 'NOT-FOUND', '__proto__', 'constructor', 'toString', 'not-found%00', '']
  for (const path of [...codes.map((code) => `/problems/${code}`), '/no-such-path', '/no-such-path/<b>']) {
    const answer = await ask(url + path, { headers: { accept: 'application/json' } })
    t.equal(answer.status, 404, path)
    t.equal(answer.headers.get('content-type'), 'application/problem+json')
    t.equal(answer.body?.['code'], 'not-found')
    t.equal(answer.headers.get('content-security-policy'), null)

    const page = await ask(url + path, { headers: { accept: BROWSER } })
    t.equal(page.status, 404)
    t.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
    t.match(page.headers.get('content-security-policy'), /^default-src 'none'; style-src 'unsafe-inline'/)
    t.match(textOf(page.text), catalogue['not-found'].title)
    const requestId = page.headers.get('x-request-id') ?? ''
    t.match(page.text, `<code>${requestId}</code>`)
    t.match(page.text, 'href="/base/problems"', 'found also below a path')
    t.ok(log.some((line) => line['requestId'] === requestId && line['code'] === 'not-found'))
    t.notMatch(answer.text + page.text, 'no-such', 'nothing of the request in the answer')
  }
  const wrongMethod = await ask(`${url}/problems`, { method: 'POST', headers: { accept: BROWSER } })
  t.match(wrongMethod.body, { code: 'method-not-allowed' }, 'every other problem stays JSON')
})

t.test('PUBLIC_URL makes every type an address that can be followed', async (t) => {
  const { url, port } = await startBoth(t, { PUBLIC_URL: 'https://proxy.example/base/' })
  const types = 'https://proxy.example/base/problems/'
  const answers: Record<string, unknown> = {
    'not-found': (await ask(`${url}/nothing`)).body,
    'internal-error': (await ask(`${url}/problems/internal-error`)).body,
    'malformed-request': (await ask(`${url}/%zz`)).body,
  }
  for (const [code, body] of Object.entries(answers)) t.match(body, { type: types + code, code })
  const list = await ask(`${url}/problems`)
  for (const { type } of list.body?.['problems'] as { type: string }[]) t.ok(type.startsWith(types), type)
  t.match(await speak(port, 'garbage\r\n\r\n'), `"type":"${types}malformed-request"`)
})

/** What a person reads of a page. */
function textOf(html: string): string {
  const characters: Record<string, string> = { lt: '<', gt: '>', quot: '"', amp: '&' }
  return html
    .replace(/<[^>]*>/g, '')
    .replace(/&(\w+);/g, (entity, name: string) => characters[name] ?? entity)
}
