import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { inspect } from 'node:util'
import t from 'tap'
import { readConfig } from '../src/config/read.js'
import { ConfigError } from '../src/config/faults.js'
import { bypasses } from '../src/network/no-proxy.js'
import { selfSigned } from './support/certificate.js'
import { Collector } from './support/collector.js'
import { checkProblem, until } from './support/fixtures.js'
import { TestProxy } from './support/forward-proxy.js'
import { ask, startBoth, startService, startZendesk } from './support/helper.js'

const PASSWORD = 'p@ss/w#rd-not-a-secret'
const withPassword = (url: string) => url.replace('http://', `http://shop:${encodeURIComponent(PASSWORD)}@`)

t.test('plain http goes to the proxy, and Zendesk is not asked directly', async (t) => {
  const proxy = await TestProxy.start(t)
  proxy.password = `shop:${PASSWORD}`
  const { url, zendesk, log } = await startBoth(t, { HTTP_PROXY: withPassword(proxy.url), DOCS: 'false' })
  for (let call = 0; call < 3; call++) t.equal((await ask(`${url}/session/renew`)).status, 200)
  t.same(proxy.asked, Array(3).fill(`${zendesk.url}/api/v2/users/me/session/renew`))
  t.equal(zendesk.requests.length, 3)
  const { headers } = zendesk.requests[0] ?? {}
  t.equal(headers?.host, new URL(zendesk.url).host)
  t.notOk(headers?.['proxy-authorization'])

  proxy.refuses = 403
  const refused = await ask(`${url}/session/renew`)
  checkProblem(t, refused, { status: 503, code: 'zendesk-unavailable' })
  t.match(log.at(-1), { code: 'zendesk-unavailable' })
  t.ok(log.some(({ errorCode }) => errorCode === 'PROXY_403'))
  t.notMatch(JSON.stringify(log) + refused.text, secretForms())
})

t.test('for https there is a tunnel, and the certificate of Zendesk is verified through it', async (t) => {
  const proxy = await TestProxy.start(t)
  const { zendesk, environment } = await startZendesk(t, { tls: selfSigned() })
  const { url } = await startService(t, { ...environment, https_proxy: proxy.url })
  checkProblem(t, await ask(`${url}/session/renew`), { status: 502, code: 'zendesk-untrusted' })
  t.same(proxy.asked, [new URL(zendesk.url).host])
  t.equal(zendesk.requests.length, 0)
})

t.test('where the proxy fails, the log says how, and nobody says that Zendesk is down', async (t) => {
  const { environment, zendesk } = await startZendesk(t, { tls: selfSigned() })
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const address = closed.address()
  const nobody = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`
  closed.close()
  const rows: [proxyUrl: string | undefined, set: Partial<TestProxy>, errorCode: string, asked: number][] = [
    [undefined, { password: 'other:password' }, 'PROXY_407', 1],
    [undefined, { refuses: 403 }, 'PROXY_403', 1],
    [undefined, { refuses: 502 }, 'PROXY_502', 3],
    [undefined, { silent: true }, 'PROXY_TIMEOUT', 1],
    [nobody, {}, 'PROXY_REFUSED', 0],
    [`http://${'no-such-name'.repeat(6)}.invalid:3128`, {}, 'PROXY_NOT_FOUND', 0],
  ]
  await Promise.all(
    rows.map(async ([proxyUrl, set, errorCode, asked]) => {
      const proxy = Object.assign(await TestProxy.start(t), set)
      const { url, log } = await startService(t, {
        ...environment,
        DOCS: 'false',
        HTTPS_PROXY: proxyUrl ?? withPassword(proxy.url),
        ZENDESK_TIMEOUT_MS: '2000',
      })
      const answer = await ask(`${url}/session/renew`)
      checkProblem(t, answer, { status: 503, code: 'zendesk-unavailable' })
      t.same(new Set(log.flatMap(({ errorCode }) => errorCode ?? [])), new Set([errorCode]))
      t.equal(proxy.asked.length, asked, errorCode)
      t.notMatch(JSON.stringify(log) + answer.text, secretForms(), 'no password')
    }),
  )
  t.equal(zendesk.requests.length, 0)
})

t.test('a proxy that is killed and comes back is used again', async (t) => {
  const proxy = await TestProxy.start(t)
  const { url, log, zendesk } = await startBoth(t, { HTTP_PROXY: proxy.url, ZENDESK_TIMEOUT_MS: '2000' })
  t.equal((await ask(`${url}/session/renew`)).status, 200)
  proxy.kill()
  checkProblem(t, await ask(`${url}/session/renew`), { status: 503, code: 'zendesk-unavailable' })
  t.ok(log.some(({ errorCode }) => errorCode === 'PROXY_REFUSED'))
  const again = await TestProxy.start(t, Number(new URL(proxy.url).port))
  await until('it renews', async () => (await ask(`${url}/session/renew`)).status === 200)
  t.equal(zendesk.requests.length, proxy.asked.length + again.asked.length)
})

t.test('NO_PROXY leads around it, also in small letters', async (t) => {
  const proxy = await TestProxy.start(t)
  const { url, zendesk } = await startBoth(t, { HTTP_PROXY: proxy.url, no_proxy: 'example.com,127.0.0.0/8' })
  t.equal((await ask(`${url}/session/renew`)).status, 200)
  t.same([proxy.asked.length, zendesk.requests.length], [0, 1])
})

t.test('a changed HTTPS_PROXY_FILE is used from the next connection on', async (t) => {
  const [first, second] = [await TestProxy.start(t), await TestProxy.start(t)]
  const file = `${t.testdir({ proxy: `${first.url}\n` })}/proxy`
  const { environment } = await startZendesk(t, { tls: selfSigned() })
  const { url, log } = await startService(t, { ...environment, HTTPS_PROXY_FILE: file })
  await ask(`${url}/session/renew`)
  writeFileSync(file, withPassword(second.url))
  await until('it is read', () => log.some(({ secret }) => secret === 'HTTPS_PROXY'))
  await ask(`${url}/session/renew`)
  t.same([first.asked.length, second.asked.length], [1, 1])
  writeFileSync(file, `socks5://shop:${PASSWORD}@127.0.0.1`)
  await until('it is refused', () =>
    log.some(({ level, secret }) => level === 50 && secret === 'HTTPS_PROXY'),
  )
  await ask(`${url}/session/renew`)
  t.same([first.asked.length, second.asked.length], [1, 2], 'the last good one is kept')
  t.notMatch(JSON.stringify(log), secretForms())
})

t.test('the collector of traces is reached through the proxy', async (t) => {
  const proxy = await TestProxy.start(t)
  const collector = await Collector.start(t)
  const { url, app } = await startBoth(t, {
    HTTP_PROXY: proxy.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  })
  await ask(`${url}/session/renew`)
  await app.close()
  t.ok(proxy.asked.includes(`${collector.url}/v1/traces`))
})

t.test('NO_PROXY is read as curl reads it', (t) => {
  const rows: [list: string, host: string, port: string, bypassed: boolean][] = [
    ['', 'acme.zendesk.com', '443', false],
    ['*', 'acme.zendesk.com', '443', true],
    ['acme.zendesk.com', 'acme.zendesk.com', '443', true],
    ['zendesk.com', 'acme.zendesk.com', '443', true],
    ['.zendesk.com', 'acme.zendesk.com', '443', true],
    ['*.zendesk.com', 'acme.zendesk.com', '443', true],
    ['.zendesk.com', 'zendesk.com', '443', true],
    ['desk.com', 'acme.zendesk.com', '443', false],
    ['acme.zendesk.com.', 'acme.zendesk.com', '443', true],
    ['ACME.Zendesk.com', 'acme.zendesk.com', '443', true],
    ['a.example, b.example\tacme.zendesk.com', 'acme.zendesk.com', '443', true],
    ['acme.zendesk.com:443', 'acme.zendesk.com', '443', true],
    ['acme.zendesk.com:8443', 'acme.zendesk.com', '443', false],
    ['localhost', '127.0.0.1', '80', false],
    ['127.0.0.1', '127.0.0.1', '80', true],
    ['127.0.0.1:80', '127.0.0.1', '80', true],
    ['127.0.0.0/8', '127.1.2.3', '80', true],
    ['10.0.0.0/8', '127.0.0.1', '80', false],
    ['10.0.0.0/99', '10.0.0.1', '80', false],
    ['0.0.1', '127.0.0.1', '80', false],
    ['::1', '[::1]', '80', true],
    ['[::1]', '[::1]', '80', true],
    ['[::1]:80', '[::1]', '80', true],
    ['fd00::/8', '[fd12::1]', '80', true],
  ]
  for (const [list, host, port, bypassed] of rows)
    t.equal(bypasses(list, host, port), bypassed, `${list} ${host}:${port}`)
  t.end()
})

t.test('a proxy that cannot be one is refused at the start, and its password is in no message', async (t) => {
  const base = { ZENDESK_SUBDOMAIN: 'acme', ZENDESK_OAUTH_TOKEN: 'sandbox-token' }
  for (const value of [
    `socks5://shop:${PASSWORD}@proxy.example`,
    `http://shop:${PASSWORD}@proxy.example`,
    'http://',
    'http://proxy.example/path',
    'http://proxy.example:99999',
    'http://%zz:x@proxy.example',
  ]) {
    for (const name of ['HTTPS_PROXY', 'http_proxy']) {
      const { message } = (await readConfig({ ...base, [name]: value }).catch(
        (error: unknown) => error,
      )) as ConfigError
      t.match(message, new RegExp(`^ *${name.toUpperCase()}`, 'm'), value)
      t.notMatch(message, secretForms())
    }
  }
  const config = await readConfig({
    ...base,
    https_proxy: `shop:${encodeURIComponent(PASSWORD)}@proxy.example:3128`,
    HTTPS_PROXY: 'http://other.example',
    HTTP_PROXY: withPassword('http://plain.example'),
  })
  const target = { protocol: 'https:', hostname: 'acme.zendesk.com', port: '' }
  const proxy = config.forwardProxies.proxyFor(target)
  t.match(
    proxy,
    { protocol: 'http:', host: 'proxy.example', port: 3128, password: PASSWORD },
    'curl prefers small letters',
  )
  t.match(config.forwardProxies.proxyFor({ ...target, protocol: 'http:' }), {
    host: 'plain.example',
    port: 80,
  })
  t.notMatch(inspect(config, { depth: 9, showHidden: true }) + JSON.stringify(config), secretForms())
  t.rejects(
    readConfig({ ...base, HTTPS_PROXY_FILE: '/etc/hostname', https_proxy: 'http://a.example' }),
    ConfigError,
  )
})

/** The password as it is, encoded for a URL, and in base64 behind its user. */
function secretForms(): RegExp {
  const base64 = Buffer.from(`shop:${PASSWORD}`).toString('base64').slice(0, -4)
  return new RegExp([PASSWORD, encodeURIComponent(PASSWORD), base64].map(quote).join('|'))
}

function quote(text: string): string {
  return text.replace(/[^\w]/g, '\\$&')
}
