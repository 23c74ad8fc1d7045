import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { selfSigned } from './support/certificate.js'
import { bearer, renew } from './support/credentials.js'
import { InstalledProxy } from './support/installed-proxy.js'
import { startZendesk } from './support/helper.js'
import { AUDIENCE, makeSigningKey } from './support/identity-provider.js'
import { start, until } from './support/process.js'
import { toolOrSkip } from './support/tools.js'

const PASSWORD = 'proxy-password-not-a-secret'

for (const product of ['tinyproxy', 'squid'] as const) {
  for (const password of [undefined, PASSWORD]) {
    const title = `through ${product} ${password === undefined ? 'without' : 'with'} a password: Zendesk, keys of an issuer, and a restart`
    t.test(title, toolOrSkip(product, 'REQUIRE_FORWARD_PROXIES'), async (t) => {
      const proxy = await InstalledProxy.start(t, product, password)
      const { service, url, zendesk, token, environment } = await startBehind(t, proxy.url)
      t.equal((await renew(url, bearer(await token()))).status, 200)
      t.equal(zendesk.renewals().length, 1)
      await proxy.stop()
      // squid notes a tunnel when it ends.
      t.ok(proxy.log().includes(new URL(zendesk.url).host))
      t.ok(proxy.log().includes(new URL(environment.JWT_JWKS_URL).host), 'the keys came through it too')
      const refused = await renew(url, bearer(await token()))
      t.match(refused, { status: 503, body: { code: 'zendesk-unavailable' } })
      await until(() => service.lines().some(({ errorCode }) => /^PROXY_/.test(String(errorCode))))
      t.equal(zendesk.renewals().length, 1, 'Zendesk is not asked directly')

      await proxy.restart()
      await until(async () => (await renew(url, bearer(await token()))).status === 200)
      t.notMatch(service.output() + service.errors() + refused.text, PASSWORD)
    })
  }

  t.test(
    `${product} refuses a wrong password, and the log says so`,
    toolOrSkip(product, 'REQUIRE_FORWARD_PROXIES'),
    async (t) => {
      const proxy = await InstalledProxy.start(t, product, PASSWORD)
      const { service, url, zendesk } = await startBehind(
        t,
        proxy.url.replace(PASSWORD, 'another-not-a-secret'),
        {
          JWT_ISSUER: '',
          JWT_AUDIENCE: '',
          JWT_JWKS_URL: '',
        },
      )
      t.match(await renew(url), { status: 503, body: { code: 'zendesk-unavailable' } })
      await until(() => service.lines().some(({ errorCode }) => /^PROXY_40[17]$/.test(String(errorCode))))
      t.equal(zendesk.requests.length, 0)
      t.notMatch(service.output() + service.errors(), /another-not-a-secret/)
    },
  )

  t.test(`NO_PROXY leads around ${product}`, toolOrSkip(product, 'REQUIRE_FORWARD_PROXIES'), async (t) => {
    const proxy = await InstalledProxy.start(t, product, undefined)
    const { url, zendesk, token } = await startBehind(t, proxy.url, { NO_PROXY: '127.0.0.1' })
    t.equal((await renew(url, bearer(await token()))).status, 200)
    t.notOk(proxy.log().includes(new URL(zendesk.url).host))
  })
}

/** A service as a process, since NODE_EXTRA_CA_CERTS is read at its start; Zendesk and the issuer speak https. */
async function startBehind(t: Test, proxyUrl: string, more: NodeJS.ProcessEnv = {}) {
  const certificate = selfSigned()
  const { zendesk, environment: pointing } = await startZendesk(t, { tls: certificate })
  const key = await makeSigningKey()
  const { kty, crv, x, y, kid, alg } = key.jwk
  const issuer = createServer(certificate, (_request, response) => {
    response.end(JSON.stringify({ keys: [{ kty, crv, x, y, kid, alg }] }))
  })
  await once(issuer.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    issuer.close()
    issuer.closeAllConnections()
  })
  const origin = `https://127.0.0.1:${(issuer.address() as AddressInfo).port}`
  const folder = mkdtempSync(join(tmpdir(), 'authorities-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true })
  })
  const authorities = join(folder, 'authorities.pem')
  writeFileSync(authorities, certificate.cert)
  const environment = {
    ...pointing,
    NODE_EXTRA_CA_CERTS: authorities,
    HTTPS_PROXY: proxyUrl,
    JWT_ISSUER: origin,
    JWT_AUDIENCE: AUDIENCE,
    JWT_JWKS_URL: `${origin}/keys`,
    ...more,
  }
  const service = start(t, environment)
  const token = () =>
    new SignJWT({ sub: 'user-1' })
      .setProtectedHeader({ alg: 'ES256', kid: kid ?? '' })
      .setIssuer(origin)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(key.privateKey)
  return { service, url: await service.url(), zendesk, token, environment }
}
