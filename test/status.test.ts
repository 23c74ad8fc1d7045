import { createHash } from 'node:crypto'
import t from 'tap'
import { LastMinute } from '../src/status/last-minute.js'
import { ask, startBoth, type Service } from './support/helper.js'

const KEY = 'not-a-secret-key-of-a-caller'
const METRICS = { METRICS_PORT: '0' }
const BROWSER = { headers: { accept: 'text/html,*/*;q=0.8' } }

t.test('the status and /readyz tell the same, in every state', async (t) => {
  const { zendesk, app, ...service } = await startBoth(t, METRICS)
  const renew = () => ask(`${service.url}/session/renew`)
  const agreed = async (expected: object) => {
    const { body: status } = await ask(statusOf(service))
    const readyz = await ask(`${service.url}/readyz`)
    t.equal(readyz.status, status?.['phase'] === 'ready' ? 200 : 503)
    if (readyz.status === 200) {
      const { status: word, ...outlook } = readyz.body ?? {}
      t.equal(word, status?.['phase'])
      t.hasStrict(status, outlook)
    }
    t.match(status, expected)
  }
  await agreed({
    phase: 'ready',
    credentials: 'unverified',
    rateLimit: null,
    callersPerCall: null,
    outcomes: [],
  })
  await renew()
  await agreed({ credentials: 'ok', breaker: 'closed', pausedForSeconds: 0, callersPerCall: 1 })
  zendesk.misbehave({ kind: 'status', status: 401 })
  await renew()
  await agreed({
    credentials: 'rejected',
    outcomes: [{ code: 'zendesk-credentials-rejected' }, { code: 'ok' }],
  })
  zendesk.misbehave({ kind: 'status', status: 429, headers: { 'retry-after': '90' } })
  await renew()
  await agreed({ pausedForSeconds: Number })
  await app.lifecycle.drain(0)
  await agreed({ phase: 'draining' })
})

t.test('the status counts calls, callers and outcomes', async (t) => {
  const limited = { ZENDESK_BUDGET_PER_MINUTE: '600', REDIS_URL: 'redis://127.0.0.1:1' }
  const { zendesk, ...service } = await startBoth(t, { ...METRICS, ...limited })
  zendesk.misbehave({ kind: 'delay', ms: 100 })
  await Promise.all(Array.from({ length: 20 }, () => ask(`${service.url}/session/renew`)))
  await ask(`${service.url}/livez`)
  zendesk.misbehave({ kind: 'status', status: 403 })
  await ask(`${service.url}/session/renew`)
  const calls = zendesk.renewals().length
  const { body, headers } = await ask(statusOf(service))
  t.equal(headers.get('cache-control'), 'no-store')
  t.match(body, {
    version: /^\d+\.\d+\.\d+$/,
    zendesk: zendesk.url,
    budget: { perMinute: 600, usedInLastMinute: calls },
    rateLimit: { limit: 700, remaining: 700 - calls },
    callersPerCall: Math.round((21 / calls) * 10) / 10,
    redis: { state: 'disconnected', errorCode: 'ECONNREFUSED' },
    outcomes: [
      { code: 'zendesk-permission-denied', lastMinute: 1, sinceStart: 1, lastAt: /^\d{4}-.*Z$/ },
      { code: 'ok', lastMinute: 20, sinceStart: 20 },
    ],
  })
})

t.test('a person gets a page that reloads by itself, and neither holds a secret', async (t) => {
  const digest = createHash('sha256').update(KEY).digest('hex')
  const { zendesk, ...service } = await startBoth(t, { ...METRICS, CALLER_KEYS: `shop:${digest}` })
  const renew = () => ask(`${service.url}/session/renew`, { headers: { authorization: `Bearer ${KEY}` } })
  const token = String((await renew()).body?.['authenticity_token'])
  zendesk.misbehave({ kind: 'status', status: 503, times: 5 })
  await renew()
  await renew()
  const page = await ask(statusOf(service), BROWSER)
  t.match(page.headers.get('content-type'), 'text/html')
  t.match(page.headers.get('content-security-policy'), "default-src 'none'")
  t.equal(page.headers.get('refresh'), '5')
  const still = await ask(`${statusOf(service)}?reload=no`, BROWSER)
  t.equal(still.headers.get('refresh'), null, 'unless that is turned off')
  t.match(page.text, '<h1 class="bad">Circuit breaker open</h1>')
  t.match(page.text, /<code>zendesk-unavailable<\/code><\/td>\s*<td class="number">2</)
  t.notMatch(page.text, '<script')
  const { text: json } = await ask(statusOf(service))
  for (const secret of [KEY, digest, token, zendesk.credentials.bearerToken])
    t.notOk((page.text + json).includes(secret))
  t.equal((await ask(`${service.url}/status`)).status, 404, 'callers do not get it')
  const elsewhere = await ask(new URL('/nowhere', statusOf(service)).href, BROWSER)
  t.match(elsewhere, { status: 404, text: /^<!doctype html>/ })
  t.notMatch(elsewhere.text, 'href="/', 'it links to nothing that this port does not have')
})

t.test('the last minute forgets second by second', (t) => {
  let now = 5_000
  const minute = new LastMinute(() => now)
  minute.add()
  now += 30_000
  minute.add(2)
  t.equal(minute.total, 3)
  now += 29_999
  t.equal(minute.total, 3)
  now += 1
  t.equal(minute.total, 2)
  now += 3_600_000
  t.equal(minute.total, 0)
  minute.add()
  t.equal(minute.total, 1)
  t.end()
})

function statusOf({ log }: Pick<Service, 'log'>): string {
  const address = log.find(({ msg }) => msg === 'serving metrics')?.['address']
  return new URL('/status', String(address)).href
}
