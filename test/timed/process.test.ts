import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { Agent, request } from 'undici'
import { Collector } from '../support/collector.js'
import { ask, startZendesk } from '../support/helper.js'
import { start, until } from '../support/process.js'

t.test('without configuration it says what is missing, once, and ends', async (t) => {
  const service = start(t, { HOST: '0.0.0.0', PORT: 'http' })
  t.equal(await service.exitCode, 1)
  t.equal(service.output(), '', 'nothing on stdout')
  t.equal(service.errors().match(/cannot start/g)?.length, 1)
  t.notMatch(service.errors(), /\n\s+at |node:|\.ts/, 'no stack trace')
  const atFault = [
    'PORT',
    'ZENDESK_SUBDOMAIN',
    'ZENDESK_URL',
    'ZENDESK_OAUTH_CLIENT_ID',
    'ZENDESK_OAUTH_CLIENT_SECRET',
    'ZENDESK_OAUTH_TOKEN',
    'ZENDESK_EMAIL',
    'ZENDESK_API_TOKEN',
    'ZENDESK_PASSWORD',
    'CALLER_KEYS',
    'JWT_ISSUER',
    'JWT_AUDIENCE',
  ]
  const named = atFault.filter((name) => new RegExp(`^  .*\\b${name}\\b`, 'm').test(service.errors()))
  t.same(named, atFault)
  t.equal(service.errors().match(/^ {2}\S/gm)?.length, 4, 'one line each, and one for what belongs together')
})

t.test('where it cannot listen it says why in one line, and ends', async (t) => {
  const { zendesk, environment } = await startZendesk(t)
  const taken = new URL(zendesk.url).port
  const places: [NodeJS.ProcessEnv, RegExp][] = [
    [{ PORT: taken }, /^zendesk-session-proxy cannot start: 127\.0\.0\.1:\d+ is already in use.*PORT\.\n$/],
    [
      { METRICS_PORT: taken },
      /^zendesk-session-proxy cannot start: 127\.0\.0\.1:\d+ is already in use.*METRICS_PORT\.\n$/,
    ],
    [{ PORT: taken, METRICS_PORT: '0' }, /: 127\.0\.0\.1:\d+ is already in use.* PORT\./],
    [{ PORT: taken, REDIS_URL: 'redis://127.0.0.1:1' }, /: 127\.0\.0\.1:\d+ is already in use.* PORT\./],
    [
      { HOST: '192.0.2.1', ALLOW_ANONYMOUS_CALLERS: 'true' },
      /^zendesk-session-proxy cannot start: HOST: 192\.0\.2\.1 is not an address of this machine.*\n$/,
    ],
  ]
  await Promise.all(
    places.map(async ([place, message]) => {
      const service = start(t, { ...environment, ...place })
      t.equal(await service.exitCode, 1)
      t.match(service.errors(), message)
    }),
  )
})

t.test('wrong credentials show in /readyz before the first caller asks', async (t) => {
  const { zendesk } = await startZendesk(t)
  const { url } = start(t, {
    ZENDESK_URL: zendesk.url,
    ZENDESK_OAUTH_CLIENT_ID: zendesk.credentials.clientId,
    ZENDESK_OAUTH_CLIENT_SECRET: 'sandbox-wrong-not-a-secret',
  })
  const readyz = `${await url()}/readyz`
  await until(async () => (await ask(readyz)).body?.['credentials'] === 'rejected')
  t.same(
    zendesk.requests.map(({ path, status }) => [path, status]),
    [['/oauth/tokens', 401]],
  )
})

t.test('SIGTERM lets what is in flight finish, and then ends it with 0', async (t) => {
  const { zendesk, environment } = await startZendesk(t)
  const service = start(t, environment)
  const url = await service.url()
  const dispatcher = new Agent({ connections: 4, pipelining: 1 })
  t.teardown(() => dispatcher.close())
  const fourTimes = <T>(ask: () => Promise<T>) => Promise.all([ask(), ask(), ask(), ask()])
  const warm = await fourTimes(() => request(`${url}/livez`, { dispatcher }))
  for (const { headers, body } of warm) {
    t.equal(headers['connection'], 'keep-alive')
    await body.dump()
  }

  zendesk.misbehave({ kind: 'delay', ms: 600 })
  const answers = fourTimes(async () => {
    const { statusCode, headers, body } = await request(`${url}/session/renew`, { dispatcher })
    return { statusCode, headers, body: await body.json() }
  })
  await until(() => zendesk.renewals().length === 1)
  t.equal((await ask(`${url}/livez`)).status, 200, 'by now all four have arrived')
  service.child.kill('SIGTERM')

  for (const { statusCode, headers, body } of await answers) {
    t.equal(statusCode, 200)
    t.match(body, { authenticity_token: /^[\w-]{86}$/ })
    t.equal(headers['connection'], 'close')
  }
  const answeredAt = performance.now()
  t.equal(await service.exitCode, 0)
  t.ok(performance.now() - answeredAt < 1000, 'within a second of the last answer')
  t.equal(zendesk.renewals().length, 1)
  t.equal(service.lines().filter(({ msg }) => msg === 'stopped').length, 1)
})

t.test('with nothing in flight it ends with 0, however short the grace is', async (t) => {
  const { environment } = await startZendesk(t)
  const collector = await Collector.start(t)
  collector.delayMs = 300
  const refusing = await Collector.start(t)
  refusing.status = 400
  const cases: NodeJS.ProcessEnv[] = [
    { SHUTDOWN_GRACE_MS: '0' },
    { SHUTDOWN_GRACE_MS: '0', SHUTDOWN_DELAY_MS: '300' },
    { SHUTDOWN_GRACE_MS: '1', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
    { SHUTDOWN_GRACE_MS: '1', OTEL_EXPORTER_OTLP_ENDPOINT: refusing.url },
  ]
  await Promise.all(
    cases.map(async (grace) => {
      const service = start(t, { ...environment, ...grace })
      const url = await service.url()
      t.equal((await ask(`${url}/session/renew`)).status, 200)
      service.child.kill('SIGTERM')
      t.equal(await service.exitCode, 0, JSON.stringify(grace))
      t.same(
        service.lines().filter(({ level }) => level === 'error' || level === 'fatal'),
        [],
      )
      t.equal(service.lines().filter(({ msg }) => msg === 'stopped').length, 1)
    }),
  )
  t.ok(collector.named('GET /session/renew').length > 0, 'the last spans are sent all the same')
})

t.test('idle connections, half a request and bodies that never come do not delay the end', async (t) => {
  const { environment } = await startZendesk(t)
  const service = start(t, environment)
  const { hostname, port } = new URL(await service.url())
  const posted = (path: string) => `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc`
  const open = ['', 'GET /livez HTT', posted('/livez'), posted('/session/renew')].map((bytes) => {
    const socket = connect(Number(port), hostname)
    socket.on('error', () => undefined).write(bytes)
    return once(socket, 'connect')
  })
  await Promise.all(open)
  t.equal((await ask(`http://${hostname}:${port}/livez`)).status, 200, 'by now all have arrived')
  const stoppedAt = performance.now()
  service.child.kill('SIGTERM')
  t.equal(await service.exitCode, 0)
  t.ok(performance.now() - stoppedAt < 5000, 'long before the grace is over')
})

t.test('callers who left with requests in the queue do not make the end a failure', async (t) => {
  const { zendesk, environment } = await startZendesk(t)
  const service = start(t, { ...environment, ZENDESK_TIMEOUT_MS: '1000' })
  const { hostname, port } = new URL(await service.url())
  zendesk.misbehave({ kind: 'silence' })
  const leaver = connect(Number(port), hostname)
  leaver.on('error', () => undefined)
  leaver.write('GET /session/renew HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2))
  await until(() => zendesk.renewals().length === 1)
  leaver.destroy()
  await until(() => service.lines().some(({ msg }) => msg === 'caller left'))
  service.child.kill('SIGTERM')
  t.equal(await service.exitCode, 0)
})

t.test('during SHUTDOWN_DELAY_MS it is not ready, but serves who still comes', async (t) => {
  const { environment } = await startZendesk(t)
  const service = start(t, { ...environment, SHUTDOWN_DELAY_MS: '1000' })
  const url = await service.url()
  service.child.kill('SIGTERM')
  const stoppedAt = performance.now()
  await until(async () => (await ask(`${url}/readyz`)).status === 503)

  const ready = await ask(`${url}/readyz`)
  t.equal(ready.headers.get('content-type'), 'application/problem+json')
  t.match(ready.body, { code: 'service-unavailable', retryAfter: Number(ready.headers.get('retry-after')) })
  t.equal((await ask(`${url}/livez`)).status, 200)
  const renewed = await ask(`${url}/session/renew`)
  t.equal(renewed.status, 200)
  t.equal(renewed.headers.get('connection'), 'close')

  t.equal(await service.exitCode, 0)
  t.ok(performance.now() - stoppedAt > 900, 'it stayed for the whole delay')
})

t.test('a second signal ends it at once', async (t) => {
  const { environment } = await startZendesk(t)
  const service = start(t, { ...environment, SHUTDOWN_DELAY_MS: '60000' })
  const url = await service.url()
  service.child.kill('SIGTERM')
  await until(async () => (await ask(`${url}/readyz`)).status === 503)
  const toldAgainAt = performance.now()
  service.child.kill('SIGTERM')
  t.equal(await service.exitCode, 1)
  t.ok(performance.now() - toldAgainAt < 1000)
})

t.test('what takes longer than SHUTDOWN_GRACE_MS is cut off, and it ends with 1', async (t) => {
  const { zendesk, environment } = await startZendesk(t)
  const service = start(t, { ...environment, SHUTDOWN_GRACE_MS: '500', ZENDESK_TIMEOUT_MS: '60000' })
  const url = await service.url()
  zendesk.misbehave({ kind: 'silence' })
  const cutOff = t.rejects(ask(`${url}/session/renew`), 'the caller is cut off')
  await until(() => zendesk.renewals().length === 1)
  service.child.kill('SIGTERM')
  const stoppedAt = performance.now()
  t.equal(await service.exitCode, 1)
  const tookMs = performance.now() - stoppedAt
  t.ok(tookMs > 450 && tookMs < 1500, `at the grace: ${Math.round(tookMs)} ms`)
  await cutOff
  t.equal(service.lines().filter(({ msg }) => msg === 'stopping').length, 1, 'the log is written to its end')
})

t.test('the log has one line of JSON for each request, none of them lost at the exit', async (t) => {
  const { zendesk, environment } = await startZendesk(t)
  const service = start(t, environment)
  const url = await service.url()
  zendesk.misbehave({ kind: 'status', status: 403, times: 1 })
  const told = { headers: { 'x-request-id': 'denied' } }
  t.equal((await ask(`${url}/session/renew`, told)).status, 502)
  const ids = Array.from({ length: 200 }, (_, index) => `request-${index}`)
  const renewals = ids.map((id) => ask(`${url}/session/renew`, { headers: { 'x-request-id': id } }))
  t.ok((await Promise.all(renewals)).every(({ status }) => status === 200))
  service.child.kill('SIGTERM')
  t.equal(await service.exitCode, 0)

  const lines = service.lines().filter(({ msg }) => msg === 'request')
  t.same(lines.map(({ requestId }) => requestId).sort(), ['denied', ...ids].sort())
  const pattern = {
    level: 'info',
    time: /^\d{4}-\d{2}-\d{2}T/,
    service: 'zendesk-session-proxy',
    method: 'GET',
    route: '/session/renew',
    caller: 'anonymous',
    durationMs: Number,
    zendeskMs: Number,
  }
  t.match(lines, new Array(201).fill(pattern))
  t.hasStrict(
    lines.find(({ requestId }) => requestId === 'denied'),
    { status: 502, code: 'zendesk-permission-denied', zendesk: { status: 403 } },
  )
  t.hasStrict(
    lines.find(({ requestId }) => requestId === 'request-0'),
    { status: 200, zendesk: { status: 200 } },
  )
  t.equal(service.errors(), '')
})

t.test('a log that is read slowly is whole all the same', async (t) => {
  const { environment } = await startZendesk(t)
  const service = start(t, environment)
  const url = await service.url()
  service.child.stdout?.pause()
  const ids = Array.from({ length: 1500 }, (_, index) => `request-${index}`)
  while (ids.length > 0)
    await Promise.all(
      ids
        .splice(0, 100)
        .map((id) => ask(`${url}/livez?${id}`, { method: 'PUT', headers: { 'x-request-id': id } })),
    )
  service.child.kill('SIGTERM')
  await new Promise((read) => setTimeout(read, 300))
  service.child.stdout?.resume()
  t.equal(await service.exitCode, 0)
  const told = service.lines().filter(({ msg }) => msg === 'request')
  t.equal(new Set(told.map(({ requestId }) => requestId)).size, 1500)
  t.equal(service.lines().at(-1)?.['msg'], 'stopped')
})

t.test('the demo says what to try, and it works', async (t) => {
  const demo = start(t, { PORT: '0' }, { program: 'test/sandbox/demo.js' })
  await demo.url()
  await until(() => demo.output().includes('Try:'))
  const [, renewal = ''] = /curl -s (http:\S+\/session\/renew)/.exec(demo.output()) ?? []
  const answer = await ask(renewal)
  t.equal(answer.status, 200)
  t.match(answer.body, { authenticity_token: /./ })
  demo.child.kill('SIGTERM')
  t.equal(await demo.exitCode, 0)
})

t.test('each kind of credential is sent as Zendesk wants it', async (t) => {
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`
  const email = 'agent@example.com'
  const kinds: [NodeJS.ProcessEnv, authorization: string][] = [
    [{ ZENDESK_OAUTH_TOKEN: 'fake-bearer-token' }, 'Bearer fake-bearer-token'],
    [
      { ZENDESK_EMAIL: email, ZENDESK_API_TOKEN: 'fake-api-token' },
      basic('agent@example.com/token:fake-api-token'),
    ],
    [{ ZENDESK_EMAIL: email, ZENDESK_PASSWORD: 'fake:pässword' }, basic('agent@example.com:fake:pässword')],
    [
      { ZENDESK_OAUTH_CLIENT_ID: 'fake-client', ZENDESK_OAUTH_CLIENT_SECRET: 'fake "secret"' },
      'Bearer fake-minted-token',
    ],
  ]
  const asked = kinds.map(async ([credential, authorization]) => {
    const account = await startAccount(t)
    const service = start(t, { ...credential, ZENDESK_URL: account.url })
    const answer = await ask(`${await service.url()}/session/renew`)
    t.same(answer.body, { authenticity_token: 'fake-authenticity-token' })
    const renewals = account.received.filter(({ method }) => method === 'GET')
    t.same(
      renewals.map(({ path, headers }) => [path, headers.authorization]),
      [['/api/v2/users/me/session/renew', authorization]],
    )
    return account.received.filter(({ method }) => method !== 'GET')
  })
  const tokenRequests = (await Promise.all(asked)).flat()
  t.equal(tokenRequests.length, 1, 'only a client asks for a token')
  t.hasStrict(tokenRequests[0], { method: 'POST', path: '/oauth/tokens' })
  t.match(tokenRequests[0]?.headers, { 'content-type': /^application\/json/, authorization: undefined })
  t.hasStrict(JSON.parse(tokenRequests[0]?.body ?? ''), {
    grant_type: 'client_credentials',
    client_id: 'fake-client',
    client_secret: 'fake "secret"',
    scope: 'read',
  })
})

/** The smallest Zendesk there can be: it accepts everything and writes down what it was sent. */
async function startAccount(t: Test) {
  const received: { method: string; path: string; headers: IncomingHttpHeaders; body: string }[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = '', url: path = '', headers } = request
      received.push({ method, path, headers, body })
      response.writeHead(method === 'POST' ? 201 : 200, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify(method === 'POST' ? MINTED : { authenticity_token: 'fake-authenticity-token' }),
      )
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return { url: `http://127.0.0.1:${port ?? ''}`, received }
}

const MINTED = { access_token: 'fake-minted-token', token_type: 'bearer', scope: 'read' }
