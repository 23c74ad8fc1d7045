import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import t from 'tap'
import { ask, startBoth, type Service } from './support/helper.js'
import { RedisServer, redisOrSkip } from './support/redis-server.js'

const KEY = 'not-a-secret-key-of-a-caller'
const METRICS = { METRICS_PORT: '0' }

t.test('a scrape tells of requests by route, status and problem, never by URL', async (t) => {
  const { zendesk, ...service } = await startBoth(t, METRICS)
  await ask(`${service.url}/session/renew?secret=canary`)
  await ask(`${service.url}/session/renew`, { method: 'POST' })
  await ask(`${service.url}/nowhere/canary`)
  await ask(`${service.url}/problems/not-found`)
  zendesk.misbehave({ kind: 'status', status: 401 })
  await ask(`${service.url}/session/renew`)

  const samples = await scrape(service)
  const requests = (labels: string) => samples.get(`http_requests_total{${labels}}`)
  t.equal(requests('method="GET",route="/session/renew",status="200",code=""'), 1)
  t.equal(requests('method="POST",route="/session/renew",status="200",code=""'), 1)
  t.equal(requests('method="GET",route="",status="404",code="not-found"'), 1)
  t.equal(requests('method="GET",route="/problems/:code",status="200",code=""'), 1)
  t.equal(requests('method="GET",route="/session/renew",status="502",code="zendesk-credentials-rejected"'), 1)
  const durations = 'http_request_duration_seconds_count{method="GET",route="/session/renew",status="200"}'
  t.equal(samples.get(durations), 1)
  t.notOk([...samples.keys()].some((name) => name.includes('canary')))
})

t.test('a caller who leaves is counted without a status', async (t) => {
  const { zendesk, ...service } = await startBoth(t, METRICS)
  zendesk.misbehave({ kind: 'delay', ms: 300 })
  const socket = connect(service.port, '127.0.0.1')
  socket.write('GET /session/renew HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await until(() => zendesk.renewals().length === 1)
  socket.destroy()
  const left = 'http_requests_total{method="GET",route="/session/renew",status="",code=""}'
  await until(async () => (await scrape(service)).get(left) === 1)
  t.pass()
})

t.test('flights tell how many shared them, calls how Zendesk answered', async (t) => {
  const { zendesk, ...service } = await startBoth(t, METRICS)
  zendesk.misbehave({ kind: 'delay', ms: 300 })
  await Promise.all(Array.from({ length: 20 }, () => ask(`${service.url}/session/renew`)))
  zendesk.misbehave({ kind: 'status', status: 403 })
  await ask(`${service.url}/session/renew`)

  const samples = await scrape(service)
  const ours = (name: string) => samples.get(`zendesk_session_proxy_${name}`)
  t.equal(ours('flight_callers_sum{operation="renew"}'), 21)
  t.equal(ours('flight_callers_count{operation="renew"}'), zendesk.renewals().length)
  t.equal(
    ours('zendesk_calls_total{operation="renew",outcome="ok"}'),
    zendesk.renewals().filter(({ status }) => status === 200).length,
  )
  t.equal(ours('zendesk_calls_total{operation="renew",outcome="zendesk-permission-denied"}'), 1)
  t.equal(ours('zendesk_call_duration_seconds_count{operation="renew"}'), zendesk.renewals().length)
})

t.test('waits, pauses, the breaker and the credentials can be watched', async (t) => {
  // A burst of five, then a call in 1.1 s: far more than five calls take.
  const limited = { ZENDESK_BUDGET_PER_MINUTE: '60' }
  const { zendesk, ...service } = await startBoth(t, { ...METRICS, ...limited })
  const ours = async (name: string) => (await scrape(service)).get(`zendesk_session_proxy_${name}`)
  t.equal(await ours('credentials_state{state="unverified"}'), 1)
  for (let times = 0; times < 7; times++) await ask(`${service.url}/session/renew`)
  t.equal(await ours('budget_per_minute'), 60)
  t.equal(await ours('wait_seconds_count{reason="none"}'), 5)
  t.equal(await ours('wait_seconds_count{reason="budget"}'), 2)
  t.equal(await ours('pause_seconds'), 0)
  t.equal(await ours('credentials_state{state="ok"}'), 1)
  t.equal(await ours('breaker_state{state="closed"}'), 1)

  zendesk.misbehave({ kind: 'status', status: 429, headers: { 'retry-after': '90' } })
  for (let times = 0; times < 2; times++) await ask(`${service.url}/session/renew`)
  t.match(await ours('pause_seconds'), 90)
  t.equal(await ours('refused_slots_total{reason="pause"}'), 1)
})

t.test('the limit of the account shows as each answer tells it, also a failure', async (t) => {
  const { zendesk, ...service } = await startBoth(t, METRICS)
  const shown = async () => {
    const samples = await scrape(service)
    return ['', '_remaining'].map((name) => samples.get(`zendesk_session_proxy_zendesk_rate_limit${name}`))
  }
  t.same(await shown(), [undefined, undefined], 'nothing before Zendesk has told it')
  await ask(`${service.url}/session/renew`)
  t.same(await shown(), [700, 699])
  zendesk.misbehave({ kind: 'status', status: 422 })
  await ask(`${service.url}/session/renew`)
  t.same(await shown(), [700, 698])
  zendesk.misbehave({ kind: 'status', status: 500, shape: 'html' })
  await ask(`${service.url}/session/renew`)
  t.same(await shown(), [700, 698], 'the edge tells nothing')
})

t.test('an open breaker shows', async (t) => {
  const { zendesk, ...service } = await startBoth(t, METRICS)
  zendesk.misbehave({ kind: 'status', status: 500 })
  for (let times = 0; times < 5; times++) await ask(`${service.url}/session/renew`)
  const samples = await scrape(service)
  t.equal(samples.get('zendesk_session_proxy_breaker_state{state="open"}'), 1)
  t.equal(samples.get('zendesk_session_proxy_breaker_state{state="closed"}'), 0)
})

t.test('whether replicas share shows', redisOrSkip(), async (t) => {
  const redis = await RedisServer.start(t)
  const { zendesk, ...service } = await startBoth(t, { ...METRICS, REDIS_URL: redis.url })
  const ours = async (name: string) => (await scrape(service)).get(`zendesk_session_proxy_${name}`)
  t.equal(await ours('redis_up'), 1)
  await redis.kill()
  t.equal((await ask(`${service.url}/session/renew`)).status, 200)
  t.equal(await ours('redis_up'), 0)
  t.equal(await ours('redis_changes_total{to="alone"}'), 1)
  t.equal(zendesk.renewals().length, 1)
})

t.test('metrics have a port of their own, and that has nothing else', async (t) => {
  const { url, ...service } = await startBoth(t, METRICS)
  t.equal((await ask(`${url}/metrics`)).status, 404)
  const elsewhere = await ask(new URL('/session/renew', metricsAddress(service)).href)
  t.equal(elsewhere.status, 404)
  t.equal(elsewhere.headers.get('content-type'), 'application/problem+json')
  t.match(elsewhere.body, {
    code: 'not-found',
    status: 404,
    requestId: elsewhere.headers.get('x-request-id'),
  })
  const posted = await ask(new URL('/metrics', metricsAddress(service)).href, { method: 'POST', body: 'x' })
  t.match(posted, { status: 405, body: { code: 'method-not-allowed' } })
  t.equal(posted.headers.get('allow'), 'GET, HEAD')
})

t.test('without METRICS_PORT there is no such listener', async (t) => {
  const service = await startBoth(t)
  t.equal(metricsAddress(service), '')
})

t.test('every line is of the exposition format, and none holds a secret', async (t) => {
  const digest = createHash('sha256').update(KEY).digest('hex')
  const { zendesk, ...service } = await startBoth(t, { ...METRICS, CALLER_KEYS: `shop:${digest}` })
  await ask(`${service.url}/session/renew`, { headers: { authorization: `Bearer ${KEY}` } })
  zendesk.misbehave({ kind: 'echo' })
  await ask(`${service.url}/session/renew`, { headers: { authorization: `Bearer ${KEY}` } })
  const { text, headers } = await ask(`${metricsAddress(service)}/metrics`)
  t.match(headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
  for (const secret of [KEY, digest, zendesk.credentials.bearerToken]) t.notOk(text.includes(secret))
  // prom-client writes Nan; Prometheus reads it in any case.
  const sample = /^[a-z_][a-z0-9_]*(\{([a-z]+="[^"\\\n]*",?)*\})? ([\d.e+-]+|[Nn]a[Nn]|[+-]Inf)$/
  for (const line of text.split('\n').filter((line) => line !== '' && !line.startsWith('# ')))
    if (!sample.test(line)) t.fail(line)
  t.match(text, /^zendesk_session_proxy_build_info\{version="[^"]+",node="v\d+/m)
  t.match(text, /^process_cpu_seconds_total /m)
})

/** The samples of one scrape: name with labels → value. */
async function scrape(service: Pick<Service, 'log'>): Promise<Map<string, number>> {
  const { text } = await ask(`${metricsAddress(service)}/metrics`)
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), Number(line.slice(space + 1))]
    }),
  )
}

function metricsAddress({ log }: Pick<Service, 'log'>): string {
  const address = log.find(({ msg }) => msg === 'serving metrics')?.['address']
  return typeof address === 'string' ? address : ''
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 5_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('it did not come to that in time')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
