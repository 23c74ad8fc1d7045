import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { bearer, renew } from './support/credentials.js'
import { startBoth } from './support/helper.js'
import { AUDIENCE, makeSigningKey, type SigningKey } from './support/identity-provider.js'

t.test('keys are read however an issuer serves them', async (t) => {
  const key = await makeSigningKey()
  const set = (keys: unknown[]) => JSON.stringify({ keys })
  const ways: Record<string, RequestListener> = {
    'as application/jwk-set+json and nothing else': ({ headers }, response) => {
      const accepted = headers.accept?.includes('application/jwk-set+json') === true
      response.writeHead(accepted ? 200 : 406, { 'content-type': 'application/jwk-set+json' })
      response.end(accepted ? set([publicPart(key)]) : '')
    },
    'gzipped although nobody asked': (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip ' }).end(gzipSync(set([publicPart(key)])))
    },
    'beside members that are no keys': (_request, response) => {
      response.end(set([null, 'x', 4, [], {}, { kty: 4 }, publicPart(key)]))
    },
  }
  for (const [way, listener] of Object.entries(ways)) {
    const { url, token } = await startWithIssuer(t, key, listener)
    t.equal((await renew(url, bearer(await token()))).status, 200, way)
  }
})

t.test('what an issuer does wrong is never counted as a guess of the caller', async (t) => {
  const key = await makeSigningKey()
  const bomb = gzipSync(Buffer.alloc(3_000_000))
  const ways: Record<string, RequestListener> = {
    'a key that cannot be imported': (_request, response) => {
      response.end(JSON.stringify({ keys: [{ kty: 'EC', kid: key.jwk.kid, alg: 'ES256', x5c: ['MIIB'] }] }))
    },
    'a private key': (_request, response) => response.end(JSON.stringify({ keys: [key.jwk] })),
    'no keys': (_request, response) => response.end('{"keys":[]}'),
    'no JSON': (_request, response) => response.end('<html>'),
    'a document that grows when it is unpacked': (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
    },
    'a coding that nobody knows': (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'zstd' }).end('x')
    },
  }
  for (const [way, listener] of Object.entries(ways)) {
    const { url, token, zendesk } = await startWithIssuer(t, key, listener)
    const answers = []
    for (let times = 0; times < 12; times++) answers.push(await renew(url, bearer(await token())))
    t.same(
      new Set(answers.map(({ body }) => body?.['code'])),
      new Set(['identity-provider-unavailable']),
      way,
    )
    t.equal(zendesk.requests.length, 0)
  }
})

t.test('no document of an issuer makes an internal error', async (t) => {
  const key = await makeSigningKey()
  const document = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .record({
        keys: fc.array(fc.oneof(fc.jsonValue(), fc.constant({ kty: 'EC', kid: key.jwk.kid, crv: 'P-256' }))),
      })
      .map((set) => JSON.stringify(set)),
  )
  const property = fc.asyncProperty(document, async (text) => {
    const { url, token } = await startWithIssuer(t, key, (_request, response) => response.end(text))
    const { status } = await renew(url, bearer(await token()))
    t.ok(status === 503 || status === 401, `${status} for ${text}`)
  })
  await fc.assert(property, { numRuns: 15, endOnFailure: true })
})

t.test('checking a token counts towards the deadline of the request', async (t) => {
  const key = await makeSigningKey()
  const slow: RequestListener = (_request, response) => {
    void delay(1500).then(() => response.end(JSON.stringify({ keys: [publicPart(key)] })))
  }
  const { url, token, zendesk } = await startWithIssuer(t, key, slow, { ZENDESK_TIMEOUT_MS: '500' })
  const answer = await renew(url, bearer(await token()))
  t.match(
    answer,
    { status: 503, body: { code: 'identity-provider-unavailable' } },
    'it does not wait for the issuer',
  )
  t.equal(zendesk.requests.length, 0)
})

function publicPart({ jwk: { kty, crv, x, y, kid, alg } }: SigningKey) {
  return { kty, crv, x, y, kid, alg }
}

/** A service that trusts an issuer whose keys are what the listener answers. */
async function startWithIssuer(t: Test, key: SigningKey, listener: RequestListener, environment = {}) {
  const server = createServer(listener)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const service = await startBoth(t, {
    JWT_ISSUER: issuer,
    JWT_AUDIENCE: AUDIENCE,
    JWT_JWKS_URL: `${issuer}/keys`,
    ...environment,
  })
  const token = () =>
    new SignJWT({ sub: 'user-1' })
      .setProtectedHeader({ alg: 'ES256', kid: key.jwk.kid ?? '' })
      .setIssuer(issuer)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(key.privateKey)
  return { ...service, token }
}
