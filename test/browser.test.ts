import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { browserOrSkip, startBrowser } from './support/chromium.js'
import { ask, startBoth } from './support/helper.js'

const ALLOWED = 'https://app.example.test'
const PREFLIGHT = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization',
}

t.test('a preflight of an allowed origin is answered before anybody asks for a credential', async (t) => {
  const { url, zendesk } = await startBoth(t, { CALLER_KEYS: `a:${'0'.repeat(64)}`, CORS_ORIGINS: ALLOWED })
  for (const path of ['/session/renew', '/api/v2/users/me/session/renew']) {
    const answer = await ask(url + path, { method: 'OPTIONS', headers: { origin: ALLOWED, ...PREFLIGHT } })
    t.equal(answer.status, 204)
    t.equal(answer.headers.get('access-control-allow-origin'), ALLOWED)
    t.equal(answer.headers.get('access-control-allow-methods'), 'GET, POST')
    t.match(answer.headers.get('access-control-allow-headers'), /^authorization, content-type, x-request-id/)
    t.match(answer.headers.get('access-control-max-age'), /^\d+$/)
    t.equal(answer.headers.get('access-control-allow-credentials'), null)
    t.equal(answer.headers.get('vary'), 'Origin')
    t.ok(answer.headers.get('x-request-id'))
  }
  t.equal(zendesk.requests.length, 0)
})

t.test('a page of an allowed origin may send any header, and no other text comes back', async (t) => {
  const { url } = await startBoth(t, { CORS_ORIGINS: `${ALLOWED}, capacitor://localhost` })
  const preflight = (origin: string, requested: string) =>
    ask(`${url}/session/renew`, {
      method: 'OPTIONS',
      headers: { origin, ...PREFLIGHT, 'access-control-request-headers': requested },
    })
  const tracing = 'authorization,baggage,sentry-trace,tracestate,x-datadog-trace-id'
  const answer = await preflight('capacitor://localhost', tracing)
  t.equal(answer.status, 204)
  t.equal(answer.headers.get('access-control-allow-origin'), 'capacitor://localhost')
  t.equal(
    answer.headers.get('access-control-allow-headers'),
    'authorization, content-type, x-request-id, traceparent, baggage, sentry-trace, tracestate, x-datadog-trace-id',
  )
  const odd = await preflight(ALLOWED, 'X-Odd, <script>, a b')
  t.match(odd.headers.get('access-control-allow-headers'), /, traceparent, x-odd, script, a, b$/)
})

t.test('foreign origins are refused with a problem, and Zendesk is not called', async (t) => {
  const { url, zendesk, log } = await startBoth(t, { CORS_ORIGINS: ALLOWED })
  const foreign = [
    ...['https://evil.example', 'null', 'http://app.example.test', 'https://app.example.test:8443'],
    ...[
      'https://app.example.test.evil.example',
      'https://evil.app.example.test',
      'HTTPS://APP.EXAMPLE.TEST',
      '',
    ],
  ]
  for (const origin of foreign) {
    for (const [method, headers] of [
      ['GET', {}],
      ['POST', {}],
      ['OPTIONS', PREFLIGHT],
      ['OPTIONS', {}],
    ] as const) {
      const answer = await ask(`${url}/session/renew`, { method, headers: { ...headers, origin } })
      t.equal(answer.status, 403, `${method} from '${origin}'`)
      t.equal(answer.body?.['code'], 'origin-not-allowed')
      t.equal(answer.headers.get('content-type'), 'application/problem+json')
      t.equal(answer.headers.get('access-control-allow-origin'), null)
      t.match(answer.body?.['detail'], /pages of this origin/)
    }
  }
  const lines = log.filter(({ code }) => code === 'origin-not-allowed')
  t.same(new Set(lines.map(({ reason }) => reason)), new Set(['origin']))
  t.same(new Set(lines.map(({ origin }) => origin)), new Set(foreign))
  const long = `https://${'x'.repeat(200)}.example\u00e9`
  await ask(`${url}/session/renew`, { headers: { origin: long } })
  const { origin: shown } = log.findLast(({ code }) => code === 'origin-not-allowed') ?? {}
  t.equal(shown, long.slice(0, 100), 'at most 100 characters')
  t.equal(zendesk.requests.length, 0)
})

t.test('what a foreign page makes a browser fetch without an Origin costs no call', async (t) => {
  const { url, zendesk } = await startBoth(t, { CORS_ORIGINS: ALLOWED })
  for (const site of ['cross-site', 'same-site'])
    t.equal((await ask(`${url}/session/renew`, { headers: { 'sec-fetch-site': site } })).status, 403)
  t.equal(zendesk.requests.length, 0)
  for (const site of ['same-origin', 'none'])
    t.equal((await ask(`${url}/session/renew`, { headers: { 'sec-fetch-site': site } })).status, 200)
  const page = await ask(`${url}/problems`, { headers: { 'sec-fetch-site': 'cross-site' } })
  t.equal(page.status, 200, 'a link to an explanation is fine')
})

t.test('OPTIONS that is no preflight is a method like any other', async (t) => {
  const { url } = await startBoth(t, { CORS_ORIGINS: ALLOWED })
  const answer = await ask(`${url}/session/renew`, { method: 'OPTIONS' })
  t.equal(answer.status, 405)
  t.equal(answer.headers.get('allow'), 'GET, POST')
  t.equal(answer.headers.get('content-type'), 'application/problem+json')
})

t.test('a page of an allowed origin can read every refusal', async (t) => {
  const { url } = await startBoth(t, { CALLER_KEYS: `a:${'0'.repeat(64)}`, CORS_ORIGINS: ALLOWED })
  const refused: [path: string, status: number][] = [
    ['/session/renew', 401],
    ['/nothing', 404],
    [`/session/renew?${'x'.repeat(9000)}`, 414],
  ]
  for (const [path, status] of refused) {
    const answer = await ask(url + path, { headers: { origin: ALLOWED } })
    t.equal(answer.status, status)
    t.equal(answer.headers.get('access-control-allow-origin'), ALLOWED)
    t.match(answer.headers.get('access-control-expose-headers'), /x-request-id, retry-after, ratelimit-limit/)
  }
})

t.test(
  'in Chromium, a page of an allowed origin renews, and a foreign one cannot',
  browserOrSkip(),
  async (t) => {
    const [allowed, foreign] = [await servePages(t), await servePages(t)]
    const issuer = await startIssuer(t)
    const { url, zendesk, log } = await startBoth(t, {
      JWT_ISSUER: issuer.url,
      JWT_AUDIENCE: 'proxy',
      JWT_JWKS_URL: issuer.url,
      CORS_ORIGINS: allowed,
      CALLER_RATE_PER_MINUTE: '2',
    })
    const browser = await startBrowser(t)
    const page = await browser.newPage()
    const dialogs: string[] = []
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message())
      void dialog.dismiss()
    })
    const jwt = await issuer.token()

    await page.goto(`${allowed}/index.html`)
    const first = await submit(page, url, jwt)
    t.match(first.output, /^[\w-]{86}$/, 'the token')
    t.ok(log.some(({ requestId, caller }) => requestId === first.requestId && caller === 'jwt:user-1'))
    await submit(page, url, jwt)
    const limited = await submit(page, url, jwt)
    t.match(limited.output, /\(caller-rate-limited\)\. Come back in \d+ seconds\.$/)
    const anonymous = await submit(page, url, '')
    t.match(anonymous.output, /\(caller-not-authenticated\)\.$/)
    t.ok(anonymous.requestId)
    t.equal(zendesk.renewals().length, 2)

    const traced = await page.evaluate(
      `fetch('${url}/session/renew', {
        method: 'POST',
        headers: {
          authorization: 'Bearer ${await issuer.token('user-3')}',
          'sentry-trace': '0-0-1',
          baggage: 'sentry-release=1',
          traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
          tracestate: 'a=b',
        },
      }).then(({ status }) => status)`,
    )
    t.equal(traced, 200, 'with the headers of Sentry and OpenTelemetry')
    const misdirected = await submit(page, url, await issuer.token('user-4', 'another'))
    t.match(misdirected.output, /^Your token was issued for another audience\..*\(caller-not-authenticated\)/)
    t.equal(log.find(({ requestId }) => requestId === misdirected.requestId)?.['reason'], 'jwt-audience')
    t.equal(zendesk.renewals().length, 3)

    // Chromium reports a Basic challenge on a page of its own as ERR_INVALID_AUTH_CREDENTIALS.
    const direct = await page.goto(`${url}/session/renew`)
    t.equal(direct?.status(), 401, 'shown as it is, without a dialog')

    await page.goto(`${foreign}/index.html`)
    const refused = await submit(page, url, await issuer.token('user-2'))
    t.equal(refused.output, 'The service cannot be reached from this page.')
    t.equal(refused.requestId, '')
    t.equal(zendesk.renewals().length, 3, 'Zendesk heard nothing of it')
    t.same(dialogs, [])
    t.same(await page.context().cookies(), [])
  },
)

t.test(
  'in Chromium, a foreign page cannot even spend a call of a service without keys',
  browserOrSkip(),
  async (t) => {
    const foreign = await servePages(t)
    const { url, zendesk, log } = await startBoth(t)
    const page = await (await startBrowser(t)).newPage()
    await page.goto(`${foreign}/index.html`)
    await page.addScriptTag({ path: 'test/fixtures/foreign-page.js' })
    t.same(await page.evaluate(`tryEverything('${url}/session/renew')`), [
      ...['opaque', 'unreadable'],
      ...['img failed', 'script failed', 'iframe loaded', 'unreadable'],
    ])
    t.equal(log.filter(({ code }) => code === 'origin-not-allowed').length, 6)
    t.equal(zendesk.requests.length, 0)
    await page.goto(`${url}/session/renew`)
    t.equal(zendesk.renewals().length, 1, 'the person at the machine may open it')
  },
)

async function submit(page: Page, service: string, jwt: string) {
  await page.fill('[name=service]', service)
  await page.fill('[name=jwt]', jwt)
  await page.click('button')
  await page.waitForFunction("!['', '…'].includes(document.querySelector('output').textContent)")
  return { output: await page.innerText('output'), requestId: await page.innerText('code') }
}

/** The files of examples/browser, on an origin of their own. */
function servePages(t: Test): Promise<string> {
  const types: Record<string, string> = { html: 'text/html', js: 'text/javascript' }
  return listen(t, (request, response) => {
    const [, name = '', extension = ''] = /^\/([\w-]+\.(\w+))$/.exec(request.url ?? '') ?? []
    readFile(`examples/browser/${name}`).then(
      (text) => response.setHeader('content-type', types[extension] ?? '').end(text),
      () => response.writeHead(404).end(),
    )
  })
}

async function startIssuer(t: Test) {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  const url = await listen(t, (_request, response) => response.end(JSON.stringify({ keys: [jwk] })))
  const token = (sub = 'user-1', aud = 'proxy') =>
    new SignJWT({ sub, iss: url, aud })
      .setProtectedHeader({ alg: 'ES256' })
      .setExpirationTime('5m')
      .sign(privateKey)
  return { url, token }
}

async function listen(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
