import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-node'
import t from 'tap'
import { ForwardProxies } from '../src/network/forward-proxies.js'
import { CollectorExporter } from '../src/tracing/exporter.js'
import { Collector } from './support/collector.js'
import { startRawZendesk, until } from './support/fixtures.js'
import { ask, startBoth } from './support/helper.js'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'
const KEY = 'not-a-secret-key-of-a-caller'
const [SERVER, CLIENT] = [2, 3]

t.test("a renewal is part of its caller's trace: request, flight, each try", async (t) => {
  const collector = await Collector.start(t)
  const { zendesk, app, url } = await startBoth(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  zendesk.misbehave({ kind: 'status', status: 503, times: 1 })
  const headers = { traceparent: `00-${TRACE}-${PARENT}-01` }
  t.equal((await ask(`${url}/session/renew`, { headers })).status, 200)
  await app.close()

  const [request] = collector.named('GET /session/renew')
  const [flight] = collector.named('flight')
  const tries = collector.named('zendesk renew')
  t.match(request, { kind: SERVER, traceId: TRACE, parentSpanId: PARENT, path: '/v1/traces' })
  t.match(request?.attributes, {
    'http.request.method': 'GET',
    'http.route': '/session/renew',
    'http.response.status_code': 200,
  })
  t.match(flight, { traceId: TRACE, parentSpanId: request?.spanId })
  t.equal(flight?.attributes['zendesk_session_proxy.callers'], 1)
  t.same(
    tries.map(({ attributes }) => attributes['http.response.status_code']),
    [503, 200],
  )
  t.equal(tries[0]?.attributes['error.type'], 'zendesk-unavailable')
  t.match(tries[1]?.attributes['zendesk_session_proxy.zendesk_request_id'], /^[\w-]+$/)
  for (const each of tries) {
    t.match(each, { kind: CLIENT, traceId: TRACE, parentSpanId: flight?.spanId })
    const { hostname, port } = new URL(zendesk.url)
    t.match(each.attributes, { 'server.address': hostname, 'server.port': Number(port) })
    t.ok(BigInt(each.startTimeUnixNano) <= BigInt(each.endTimeUnixNano))
  }
  t.match(collector.resources[0], { 'service.name': 'zendesk-session-proxy', 'service.version': String })
})

t.test('Zendesk is told nothing of the trace', async (t) => {
  const collector = await Collector.start(t)
  const { zendesk, app, url } = await startBoth(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  const headers = {
    traceparent: `00-${TRACE}-${PARENT}-01`,
    tracestate: 'vendor=canary',
    baggage: 'user=canary',
  }
  t.equal((await ask(`${url}/session/renew`, { headers })).status, 200)
  await app.close()
  t.ok(collector.spans.length > 0)
  const [received] = zendesk.renewals()
  t.same(Object.keys(received?.headers ?? {}).sort(), [
    'accept',
    'accept-encoding',
    'authorization',
    'connection',
    'host',
    'user-agent',
  ])
})

t.test('callers who share a flight point to it, and it knows how many they are', async (t) => {
  const collector = await Collector.start(t)
  const { zendesk, app, url } = await startBoth(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  zendesk.misbehave({ kind: 'delay', ms: 400 })
  const first = ask(`${url}/session/renew`)
  while (zendesk.renewals().length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await Promise.all([first, ask(`${url}/session/renew`), ask(`${url}/session/renew`)])
  await app.close()

  const flights = collector.named('flight')
  t.equal(flights.length, 1)
  t.equal(flights[0]?.attributes['zendesk_session_proxy.callers'], 3)
  const requests = collector.named('GET /session/renew')
  t.equal(new Set(requests.map(({ traceId }) => traceId)).size, 3, 'each in its own trace')
  const linked = requests.flatMap(({ links }) => links)
  t.same(
    linked.map(({ spanId }) => spanId),
    [flights[0]?.spanId, flights[0]?.spanId],
  )
})

t.test('log lines lead to the trace', async (t) => {
  const collector = await Collector.start(t)
  const { zendesk, app, url, log } = await startBoth(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  zendesk.misbehave({ kind: 'status', status: 503, times: 1 })
  await ask(`${url}/session/renew`, { headers: { traceparent: `00-${TRACE}-${PARENT}-01` } })
  await ask(`${url}/nowhere`)
  await app.close()
  const [request] = collector.named('GET /session/renew')
  const [flight] = collector.named('flight')
  const [unknown] = collector.named('GET')
  const ids = (msg: string) =>
    log.filter((line) => line['msg'] === msg).map(({ trace_id, span_id }) => [trace_id, span_id])
  t.same(ids('request'), [
    [TRACE, request?.spanId],
    [unknown?.traceId, unknown?.spanId],
  ])
  t.same(ids('zendesk call failed'), [[TRACE, flight?.spanId]])
  t.same(ids('zendesk called'), [[TRACE, flight?.spanId]])
})

t.test('probes leave no span', async (t) => {
  const collector = await Collector.start(t)
  const { app, url, log } = await startBoth(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  for (const path of ['/livez', '/readyz', '/problems']) await ask(url + path)
  await app.lifecycle.drain(0)
  await ask(`${url}/readyz`)
  await app.close()
  t.same(
    collector.spans.map(({ name }) => name),
    ['GET /problems'],
  )
  t.same(
    log.filter(({ trace_id }) => trace_id !== undefined).map(({ route }) => route),
    ['/problems'],
  )
})

t.test('a pause and the breaker show as events, in the flight and in requests that meet them', async (t) => {
  const collector = await Collector.start(t)
  const { zendesk, app, url } = await startBoth(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    ZENDESK_TIMEOUT_MS: '2000',
  })
  const fails = (times: number, status: number, headers = {}) => {
    zendesk.misbehave({ kind: 'status', status, headers, times })
  }
  fails(5, 500)
  for (let times = 0; times < 6; times++) await ask(`${url}/session/renew`)
  fails(1, 429, { 'retry-after': '90' })
  await until('the breaker lets one call pass', async () => {
    await ask(`${url}/session/renew`)
    return zendesk.renewals().length === 6
  })
  await ask(`${url}/session/renew`)
  await app.close()
  const events = (name: string, event: string) =>
    collector.named(name).flatMap((span) => span.events.filter((each) => each['name'] === event))
  t.same(events('flight', 'breaker'), [
    { name: 'breaker', state: 'open' },
    { name: 'breaker', state: 'closed' },
  ])
  t.same(events('flight', 'pause'), [{ name: 'pause', operation: 'renew', seconds: 90 }])
  t.match(events('GET /session/renew', 'breaker')[0], { state: 'open' })
  t.match(events('GET /session/renew', 'pause'), [{ seconds: Number }])
})

t.test("a stranger's sampled flag neither forces a trace nor prevents one", async (t) => {
  const collector = await Collector.start(t)
  const { app, url } = await startBoth(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    CALLER_KEYS: `shop:${createHash('sha256').update(KEY).digest('hex')}`,
  })
  const renew = (flag: string, headers: Record<string, string>) =>
    ask(`${url}/session/renew`, { headers: { traceparent: `00-${TRACE}-${PARENT}-${flag}`, ...headers } })
  const key = { authorization: `Bearer ${KEY}` }
  t.equal((await renew('01', {})).status, 401)
  t.equal((await renew('00', {})).status, 401)
  t.equal((await renew('01', key)).status, 200)
  t.equal((await renew('00', key)).status, 200)
  await app.close()
  const [forced, prevented, sampled, ...others] = collector.named('GET /session/renew')
  for (const stranger of [forced, prevented]) {
    t.not(stranger?.traceId, TRACE, 'its own trace, sampled by our own decision')
    t.match(stranger?.links, [{ traceId: TRACE, spanId: PARENT }], 'that leads to theirs')
  }
  t.match(sampled, { traceId: TRACE, parentSpanId: PARENT })
  t.same(others, [], 'a known caller decides for its own trace')
})

t.test('what goes wrong is marked, by problem code', async (t) => {
  const collector = await Collector.start(t)
  const { zendesk, app, url } = await startBoth(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  zendesk.misbehave({ kind: 'status', status: 403 })
  await ask(`${url}/session/renew`)
  await ask(`${url}/nowhere`)
  await app.close()
  const [renewal] = collector.named('GET /session/renew')
  t.match(renewal, { status: { code: 2 }, attributes: { 'error.type': 'zendesk-permission-denied' } })
  const [unknown] = collector.named('GET')
  t.match(unknown?.attributes, { 'error.type': 'not-found', 'http.response.status_code': 404 })
  t.equal(unknown?.status.code, 0, 'a mistake of the caller does not count as a failure of the service')
})

t.test('no span holds a secret, a query or a path without a route', async (t) => {
  const collector = await Collector.start(t)
  const { zendesk, app, url, port } = await startBoth(t, {
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/elsewhere`,
    CALLER_KEYS: `shop:${createHash('sha256').update(KEY).digest('hex')}`,
  })
  const headers = { authorization: `Bearer ${KEY}`, cookie: 'canary=1' }
  const renewed = await ask(`${url}/session/renew?token=canary`, { headers })
  await ask(`${url}/canary/path`, { headers })
  zendesk.misbehave({ kind: 'echo' })
  await ask(`${url}/session/renew`, { headers })
  const socket = connect(port, '127.0.0.1')
  socket.end('GET /canary%ff HTTP/1.1\r\nhost: canary\r\nconnection: close\r\n\r\n')
  await new Promise((resolve) => socket.resume().on('close', resolve))
  await app.close()

  t.ok(collector.spans.length >= 4)
  t.match(collector.spans[0]?.path, '/elsewhere')
  const secrets = [KEY, zendesk.credentials.bearerToken, String(renewed.body?.['authenticity_token'])]
  for (const secret of [...secrets, Buffer.from(secrets[1] ?? '').toString('base64'), 'canary'])
    t.notOk(collector.text.includes(secret))
  t.match(collector.text, /"zendesk_session_proxy.caller","value":\{"stringValue":"shop"\}/)
})

t.test('a collector that cannot be reached neither fails a renewal nor holds up the end', async (t) => {
  const { app, url } = await startBoth(t, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' })
  t.equal((await ask(`${url}/session/renew`)).status, 200)
  const startedAt = performance.now()
  await app.close()
  t.ok(performance.now() - startedAt < 3_000)
})

t.test('a collector that refuses spans is logged once, and once when it accepts them again', async (t) => {
  const collector = await Collector.start(t)
  const said: unknown[] = []
  const tell = (...line: unknown[]) => said.push(line)
  const exporter = new CollectorExporter(`${collector.url}/v1/traces`, new ForwardProxies(), {
    info: tell,
    warn: tell,
  })
  const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] })
  t.teardown(() => provider.shutdown())
  const send = async (status: number) => {
    collector.status = status
    provider.getTracer('test').startSpan('canary').end()
    await provider.forceFlush().catch(() => undefined)
  }
  await send(200)
  t.same(said, [], 'nothing is said of a collector that is there')
  await send(401)
  await send(404)
  await send(200)
  await send(200)
  t.same(said, [
    [{ error: 'OTLPExporterError', status: 401 }, 'cannot export traces to the collector'],
    ['exporting traces to the collector again'],
  ])
  await send(500)
  t.equal(said.length, 3, 'and again the next time')
})

t.test('why traces cannot be exported is in the log of the service, in a code', async (t) => {
  const garbled = await startRawZendesk(t, (socket) => socket.end('canary\r\n\r\n'))
  const { app, url, log } = await startBoth(t, { OTEL_EXPORTER_OTLP_ENDPOINT: garbled })
  await ask(`${url}/session/renew`)
  await app.close()
  const said = log.filter(({ msg }) => msg === 'cannot export traces to the collector')
  t.match(said, [{ level: 40, errorCode: /^HPE_\w+$/ }])
  t.equal(said.length, 1)
  t.notMatch(JSON.stringify(said), 'canary')
})

t.test('tracing can be turned off, and is off without an endpoint', async (t) => {
  const collector = await Collector.start(t)
  const off = await startBoth(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_SDK_DISABLED: 'true',
  })
  await ask(`${off.url}/session/renew`)
  await off.app.close()
  t.equal(collector.spans.length, 0)
  t.equal((await startBoth(t)).app.config.tracesUrl, undefined)
})

t.test('an endpoint that is not an address stops the start', async (t) => {
  await t.rejects(startBoth(t, { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }), {
    message: /OTEL_EXPORTER_OTLP_ENDPOINT/,
  })
})
