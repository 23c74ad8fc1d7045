import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportSPKI, importJWK, SignJWT, UnsecuredJWT, type CryptoKey, type JWTPayload } from 'jose'
import t, { type Test } from 'tap'
import { makeKey } from '../src/callers/keys.js'
import { mayHoldKeys } from '../src/callers/issuer-documents.js'
import { basic, bearer, entry, eventually, renew } from './support/credentials.js'
import { startBoth, startService, startZendesk } from './support/helper.js'
import { AUDIENCE, IdentityProvider, makeSigningKey, type SigningKey } from './support/identity-provider.js'

t.test('a token of the OpenID provider opens the door; the keys are discovered once', async (t) => {
  const provider = await IdentityProvider.start(t)
  const { url, zendesk, log } = await startBoth(t, environment(provider, { JWT_SCOPE: 'renew' }))
  t.equal(provider.requests.length, 0, 'nobody asks the issuer before it is needed')

  const token = await provider.fetchToken()
  for (let times = 1; times <= 5; times++) t.equal((await renew(url, bearer(token))).status, 200)
  t.equal((await renew(url, bearer(await provider.fetchToken()))).status, 200)
  t.same(
    provider.requests.filter((path) => path !== '/token'),
    ['/.well-known/openid-configuration', '/jwks'],
  )
  t.equal(zendesk.renewals().length, 6)
  t.ok(log.some(({ caller }) => caller === 'jwt:frontend'))
  t.notOk(JSON.stringify(log).includes(token))
  t.notOk(JSON.stringify(log).includes(token.split('.')[2] ?? ''), 'nor its signature')
})

t.test('every wrong token gets its problem, and Zendesk hears nothing', async (t) => {
  const provider = await IdentityProvider.start(t)
  const key = makeKey()
  const { url, zendesk, log } = await startBoth(t, {
    ...environment(provider, { JWT_SCOPE: 'renew' }),
    CALLER_KEYS: entry('billing', key),
    TRUST_PROXY: '127.0.0.1',
  })
  const good = await provider.sign()
  t.equal((await renew(url, bearer(good))).status, 200)
  zendesk.requests.length = 0

  const past = Math.floor(Date.now() / 1000) - 60
  const [head = '', body = '', signature = ''] = good.split('.')
  const forged: Record<string, [token: string, reason: string]> = {
    unsigned: [new UnsecuredJWT(provider.claims()).encode(), 'jwt-signature'],
    'signed with the public key as a password (PEM)': [await confused(provider, 'pem'), 'jwt-signature'],
    'signed with the public key as a password (JWK)': [await confused(provider, 'jwk'), 'jwt-signature'],
    'signed by a stranger': [await provider.sign({}, { key: await makeSigningKey() }), 'jwt-signature'],
    'signed by a stranger who uses the name of the key': [
      await provider.sign({ exp: past }, { key: await makeSigningKey(provider.publicJwk.kid) }),
      'jwt-signature',
    ],
    'with another content': [
      [head, encode({ ...provider.claims(), sub: 'admin' }), signature].join('.'),
      'jwt-signature',
    ],
    'without its signature': [`${head}.${body}.`, 'jwt-signature'],
    'with an algorithm from the prototype': [
      `${encode({ alg: 'constructor' })}.${body}.${signature}`,
      'jwt-signature',
    ],
    'of nothing but dots': ['..', 'unknown-key'],
    'without a header': [`.${body}.${signature}`, 'unknown-key'],
    'with a header that is no JSON': [`abc.${body}.${signature}`, 'not-a-jwt'],
    'with __proto__ in it': [
      `${head}.${encode(JSON.parse('{"__proto__":{"sub":"x"}}') as object)}.${signature}`,
      'jwt-signature',
    ],
  }
  // These have a good signature, so their holder is told what is wrong.
  const proven: Record<string, [token: string, reason: string]> = {
    expired: [await provider.sign({ exp: past }), 'jwt-expired'],
    'not valid yet': [await provider.sign({ nbf: past + 600 }), 'jwt-not-yet-valid'],
    'without an end': [await provider.sign({}, { without: 'exp' }), 'jwt-claim'],
    'without a subject': [await provider.sign({}, { without: 'sub' }), 'jwt-claim'],
    'with a subject that is no text': [
      await provider.sign({ sub: { a: 1 } as unknown as string }),
      'jwt-claim',
    ],
    'with an empty subject': [await provider.sign({ sub: '' }), 'jwt-claim'],
    'of another issuer': [await provider.sign({ iss: 'https://issuer.example' }), 'jwt-issuer'],
    'for another audience': [await provider.sign({ aud: 'https://other.example' }), 'jwt-audience'],
    'with the audience as a prefix': [await provider.sign({ aud: `${AUDIENCE}.example` }), 'jwt-audience'],
    'for nobody': [await provider.sign({}, { without: 'aud' }), 'jwt-audience'],
    'of a logout': [await provider.sign({}, { typ: 'logout+jwt' }), 'jwt-type'],
    'without the scope': [await provider.sign({ scope: 'other' }), 'jwt-scope'],
    'with a scope that only begins so': [await provider.sign({ scope: 'renewal renew:all' }), 'jwt-scope'],
    'without any scope': [await provider.sign({ scope: undefined }), 'jwt-scope'],
  }
  const unauthenticated = new Set<string>()
  for (const [index, [what, [token, reason]]] of Object.entries({ ...forged, ...proven }).entries()) {
    const headers = { 'x-forwarded-for': `192.0.2.${index}`, 'x-request-id': 'same' }
    for (const time of ['first', 'second']) {
      const answer = await renew(url, bearer(token), headers)
      const challenge = answer.headers.get('www-authenticate')
      const status = reason === 'jwt-scope' ? 403 : 401
      t.equal(answer.status, status, `${what}, ${time} time`)
      t.equal(answer.body?.['code'], status === 403 ? 'caller-not-allowed' : 'caller-not-authenticated')
      const line = log.filter(({ requestId }) => requestId === 'same').at(-1)
      t.match(line, { msg: 'request', status, reason }, what)
      if (what in forged) unauthenticated.add(answer.text + String(challenge))
      else t.equal(challenge, challengeFor(reason, answer.body), what)
    }
  }
  unauthenticated.add(await textOf(renew(url, bearer(makeKey()), { 'x-request-id': 'same' })))
  t.equal(unauthenticated.size, 1, 'they cannot be told apart, and not from a wrong key')
  t.equal((await renew(url, basic('billing', good))).status, 401, 'a token is no password')
  t.equal(zendesk.requests.length, 0)
  t.equal((await renew(url, bearer(key))).status, 200, 'keys work beside tokens')
})

t.test('what an issuer signs for another purpose is no access token', async (t) => {
  const provider = await IdentityProvider.start(t)
  const { url, zendesk } = await startBoth(t, environment(provider))
  for (const typ of ['JWT', 'jwt', 'at+jwt', 'application/at+jwt', 'AT+JWT'])
    t.equal((await renewFromAnywhere(url, await provider.sign({}, { typ }))).status, 200, typ)
  const served = zendesk.renewals().length
  for (const typ of ['logout+jwt', 'application/secevent+jwt', 'dpop+jwt', 'token-introspection+jwt', ''])
    t.equal((await renewFromAnywhere(url, await provider.sign({}, { typ }))).status, 401, typ)
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
  t.equal(
    (await renewFromAnywhere(url, await provider.sign({ events }))).status,
    401,
    'a logout token without typ',
  )
  t.equal(zendesk.renewals().length, served)
})

t.test('the scope may come as scp, roles or permissions, as text or as a list', async (t) => {
  const provider = await IdentityProvider.start(t)
  const { url } = await startBoth(t, environment(provider, { JWT_SCOPE: 'renew' }))
  for (const claim of ['scope', 'scp', 'roles', 'permissions'])
    for (const value of ['other renew', ['other', 'renew']]) {
      const token = await provider.sign({ scope: undefined, [claim]: value })
      t.equal((await renew(url, bearer(token))).status, 200, `${claim}: ${String(value)}`)
    }
  const elsewhere = await provider.sign({ scope: undefined, groups: ['renew'] })
  t.equal((await renew(url, bearer(elsewhere))).status, 403)
})

t.test('several issuers and audiences, and client_id where Cognito gives no audience', async (t) => {
  const [one, other, stranger] = [
    await IdentityProvider.start(t),
    await IdentityProvider.start(t),
    await IdentityProvider.start(t),
  ]
  const { url, log } = await startBoth(t, {
    JWT_ISSUER: `${one.issuer}, ${other.issuer}`,
    JWT_AUDIENCE: `${AUDIENCE},api://proxy`,
    TRUST_PROXY: '127.0.0.1',
  })
  const noAudience = { without: 'aud' }
  const cognito = { token_use: 'access', client_id: 'api://proxy' }
  const good = [
    await one.sign(),
    await other.sign(),
    await one.sign({ aud: 'api://proxy' }),
    await one.sign({ aud: ['https://else.example', AUDIENCE] }),
    await other.sign(cognito, noAudience),
  ]
  for (const token of good) t.equal((await renewFromAnywhere(url, token)).status, 200)
  const callers = new Set(log.map(({ caller }) => caller).filter((caller) => caller !== undefined))
  t.same(
    [...callers],
    [one, other].map(({ issuer }) => `jwt:${issuer.replace('http://', '')}:user-1`),
    'one subject of two issuers is two callers',
  )

  const bad: [string, string][] = [
    [await stranger.sign(), 'jwt-issuer'],
    [await stranger.sign({ iss: one.issuer }), 'jwt-signature'],
    [await other.sign({ iss: one.issuer }), 'jwt-signature'],
    [await one.sign({ ...cognito, client_id: 'another' }, noAudience), 'jwt-audience'],
    [await one.sign({ token_use: 'access' }, noAudience), 'jwt-audience'],
    [await one.sign({ client_id: 'api://proxy' }, noAudience), 'jwt-audience'],
    [await one.sign({ ...cognito, aud: 'another' }), 'jwt-audience'],
    [await one.sign({ token_use: 'id' }), 'jwt-type'],
  ]
  for (const [token, reason] of bad) {
    t.equal((await renewFromAnywhere(url, token)).status, 401, reason)
    t.equal(log.filter(({ msg }) => msg === 'request').at(-1)?.['reason'], reason)
  }
})

t.test('a subject that is odd or long appears in the log as its digest', async (t) => {
  const provider = await IdentityProvider.start(t)
  const { url, log } = await startBoth(t, environment(provider))
  for (const sub of ['line\nbreak', '\u202e', 'x'.repeat(129), 'auth0|abc'])
    t.equal((await renew(url, bearer(await provider.sign({ sub })))).status, 200)
  const callers = log.map(({ caller }) => caller).filter((caller) => caller !== undefined)
  t.match(callers, [/^jwt:#[\w-]{22}$/, /^jwt:#[\w-]{22}$/, /^jwt:#[\w-]{22}$/, 'jwt:auth0|abc'])
})

t.test('keys rotate while running: the new one is found, the old one is forgotten', async (t) => {
  const provider = await IdentityProvider.start(t)
  const { url } = await startBoth(t, environment(provider))
  const old = await provider.fetchToken()
  t.equal((await renew(url, bearer(old))).status, 200)

  await provider.rotate()
  const token = await provider.fetchToken()
  await eventually(async () => (await renewFromAnywhere(url, token)).status === 200)
  t.equal((await renewFromAnywhere(url, old)).status, 401)
})

t.test('keys rotate under the same name, or under none, and several may be in use', async (t) => {
  for (const kid of ['the-key', undefined]) {
    const served: SigningKey[] = [await makeSigningKey(kid), await makeSigningKey(kid && 'another')]
    let asked = 0
    const issuer = await listen(t, (origin) => (request, response) => {
      asked += 1
      const keys = served.map(({ jwk: { d, ...key } }) =>
        d === undefined || kid ? key : { ...key, kid: undefined },
      )
      answering(request.url === '/jwks' ? { keys } : { issuer: origin, jwks_uri: `${origin}/jwks` })(
        request,
        response,
      )
    })
    const { url } = await startBoth(t, {
      JWT_ISSUER: issuer,
      JWT_AUDIENCE: AUDIENCE,
      TRUST_PROXY: '127.0.0.1',
    })
    const token = (key: SigningKey | undefined, sub: string) =>
      new SignJWT({ iss: issuer, aud: AUDIENCE, sub, exp: Math.floor(Date.now() / 1000) + 60 })
        .setProtectedHeader({ alg: 'ES256', ...(kid && { kid: key?.jwk.kid ?? '' }) })
        .sign(key?.privateKey ?? new Uint8Array())
    for (const key of served) t.equal((await renewFromAnywhere(url, await token(key, 'user-1'))).status, 200)
    const before = asked
    const [stranger] = [await makeSigningKey(kid)]
    for (let times = 0; times < 20; times++)
      t.equal((await renewFromAnywhere(url, await token(stranger, `user-${times}`))).status, 401)
    t.ok(asked - before <= 2, 'wrong signatures do not become a flood at the issuer')
    served.splice(0, 2, stranger)
    const renewed = await token(stranger, 'user-2')
    await eventually(async () => (await renewFromAnywhere(url, renewed)).status === 200)
  }
})

t.test('tokens with invented key ids count as guesses', async (t) => {
  const provider = await IdentityProvider.start(t)
  const { url } = await startBoth(t, environment(provider))
  const guess = `${encode({ alg: 'ES256', kid: 'no such key' })}.${encode({})}.AAAA`
  const statuses: number[] = []
  for (let times = 0; times < 12; times++) statuses.push((await renew(url, bearer(guess))).status)
  t.same(statuses, [...Array<number>(10).fill(401), 429, 429])
  t.equal((await renew(url, bearer(await provider.fetchToken()))).status, 200)
})

t.test('forged tokens without a key id cost few signatures, and none in the end', async (t) => {
  const keys = await Promise.all(Array.from({ length: 8 }, () => makeSigningKey()))
  const issuer = await listen(t, (origin) => (request, response) => {
    const set = { keys: keys.map(({ jwk: { d, ...key } }) => (d === undefined ? undefined : key)) }
    answering(request.url === '/jwks' ? set : { issuer: origin, jwks_uri: `${origin}/jwks` })(
      request,
      response,
    )
  })
  const [key = await makeSigningKey()] = keys
  const { url, zendesk } = await startBoth(t, { JWT_ISSUER: issuer, JWT_AUDIENCE: AUDIENCE })
  const sign = (sub: string, kid?: string, by = key) =>
    new SignJWT({ iss: issuer, aud: AUDIENCE, sub, exp: Math.floor(Date.now() / 1000) + 60 })
      .setProtectedHeader({ alg: 'ES256', ...(kid !== undefined && { kid }) })
      .sign(by.privateKey)
  const stranger = await makeSigningKey()
  const known = await sign('known', key.jwk.kid)
  t.equal((await renew(url, bearer(known))).status, 200)

  const verifications = countVerifications(t)
  const statuses: number[] = []
  for (let times = 1; times <= 10; times++)
    statuses.push((await renew(url, bearer(await sign(`${times}`, undefined, stranger)))).status)
  t.same(statuses, Array<number>(10).fill(401))
  t.equal(verifications(), 40, 'four keys are tried at the most')

  t.equal((await renew(url, bearer(await sign('honest', key.jwk.kid)))).status, 200, 'at the same address')
  t.equal(verifications(), 41)
  const flood: number[] = []
  const startedAt = performance.now()
  const forged = await Promise.all(
    Array.from({ length: 200 }, (_, index) => sign(`${index}`, undefined, stranger)),
  )
  for (const token of forged) flood.push((await renew(url, bearer(token))).status)
  const seconds = Math.ceil((performance.now() - startedAt) / 1000)
  t.same(new Set(flood), new Set([429]))
  t.ok(verifications() - 41 <= 10 * (seconds + 1), `${verifications() - 41} in ${seconds} s`)
  const before = verifications()
  t.equal((await renew(url, bearer(known))).status, 200, 'a token verified before costs no signature')
  t.equal(verifications(), before)
  t.equal(zendesk.renewals().length, 3)
})

t.test('unknown key ids do not become a flood at the issuer', async (t) => {
  const provider = await IdentityProvider.start(t)
  const { url } = await startBoth(t, environment(provider))
  t.equal((await renew(url, bearer(await provider.sign()))).status, 200)
  const asked = provider.requests.length
  const stranger = await makeSigningKey()
  for (let times = 0; times < 30; times++) {
    const token = await provider.sign(
      {},
      { key: { ...stranger, jwk: { ...stranger.jwk, kid: `random-${times}` } } },
    )
    await renew(url, bearer(token))
  }
  t.ok(provider.requests.length - asked <= 4, `${provider.requests.length - asked} requests`)
})

t.test('the provider is killed: known keys go on working, unknown ones wait until it is back', async (t) => {
  const provider = await IdentityProvider.start(t)
  const { environment: pointing, zendesk } = await startZendesk(t)
  const variables = { ...pointing, ...environment(provider) }
  const { url, log } = await startService(t, variables)
  const token = await provider.fetchToken()
  t.equal((await renew(url, bearer(token))).status, 200)
  await provider.kill()

  t.equal((await renew(url, bearer(token))).status, 200, 'a token that was seen')
  t.equal((await renew(url, bearer(await provider.sign()))).status, 200, 'a new token of a known key')
  const stranger = await provider.sign({}, { key: await makeSigningKey() })
  await eventually(async () => (await renew(url, bearer(stranger))).status === 503)
  const renewed = zendesk.renewals().length
  const refused = await renew(url, bearer(stranger))
  t.match(refused.body, { code: 'identity-provider-unavailable', retryAfter: 3 })
  t.equal(refused.headers.get('retry-after'), '3')

  const fresh = await startService(t, variables)
  const early = await renew(fresh.url, bearer(token))
  t.equal(early.body?.['code'], 'identity-provider-unavailable')
  t.equal(zendesk.renewals().length, renewed)
  t.match(
    fresh.log.find(({ msg }) => msg === 'cannot fetch the JWKS of JWT_ISSUER'),
    { level: 40, errorCode: 'ECONNREFUSED' },
  )

  await provider.listen()
  await eventually(async () => (await renew(fresh.url, bearer(token))).status === 200)
  await eventually(async () => (await renewFromAnywhere(url, stranger)).status === 401)
  t.ok(log.some(({ msg }) => msg === 'fetched the JWKS of JWT_ISSUER again'))
})

t.test('an issuer that misbehaves is an issuer that cannot be had', async (t) => {
  const key = await makeSigningKey()
  const jwks = JSON.stringify({ keys: [{ ...key.jwk, d: undefined }] })
  const misdeeds: Record<string, (origin: string) => RequestListener> = {
    'a document of another issuer': () => answering({ issuer: 'https://issuer.example', jwks_uri: '/' }),
    'no JSON': () => (_request, response) => response.end('<html>'),
    'no keys address': (issuer) => answering({ issuer }),
    'keys in clear on another machine': (issuer) => answering({ issuer, jwks_uri: 'http://192.0.2.1/jwks' }),
    'keys in a file': (issuer) => answering({ issuer, jwks_uri: 'file:///etc/passwd' }),
    'a redirect to good keys': (issuer) => (request, response) => {
      if (request.url === '/jwks') response.end(jwks)
      else if (request.url === '/moved') response.writeHead(302, { location: '/jwks' }).end()
      else answering({ issuer, jwks_uri: `${issuer}/moved` })(request, response)
    },
    'an endless document': () => (_request, response) => {
      const timer = setInterval(() => response.write('x'.repeat(65_536)), 20)
      response.on('close', () => {
        clearInterval(timer)
      })
    },
    silence: () => () => undefined,
    'no keys': (issuer) => (request, response) => {
      if (request.url === '/jwks') response.end('{"keys":[]}')
      else answering({ issuer, jwks_uri: `${issuer}/jwks` })(request, response)
    },
    'something that is no key set': (issuer) => (request, response) => {
      if (request.url === '/jwks') response.end('{"keys":"none"}')
      else answering({ issuer, jwks_uri: `${issuer}/jwks` })(request, response)
    },
  }
  const { environment: pointing, zendesk } = await startZendesk(t)
  for (const [what, misdeed] of Object.entries(misdeeds)) {
    const issuer = await listen(t, misdeed)
    const { url } = await startService(t, { ...pointing, JWT_ISSUER: issuer, JWT_AUDIENCE: AUDIENCE })
    const claims = { iss: issuer, aud: AUDIENCE, sub: 'user-1', exp: Math.floor(Date.now() / 1000) + 60 }
    const answer = await renew(url, bearer(await sign(claims, key)))
    t.equal(answer.status, 503, what)
    t.equal(answer.body?.['code'], 'identity-provider-unavailable', what)
    t.ok(answer.tookMs < 3000, `${what}: within ${Math.round(answer.tookMs)} ms`)
  }
  t.equal(zendesk.requests.length, 0)
})

t.test('only an issuer on this machine may keep its keys on it in clear', (t) => {
  t.ok(mayHoldKeys('http://127.0.0.1:9/jwks', 'http://localhost:9'))
  t.ok(mayHoldKeys('https://keys.example/jwks', 'https://issuer.example'))
  for (const address of [
    'http://127.0.0.1:9/jwks',
    'http://localhost/jwks',
    'http://[::1]:9/',
    'file:///etc/passwd',
  ])
    t.notOk(mayHoldKeys(address, 'https://issuer.example'), address)
  t.end()
})

t.test('the keys may be named instead of discovered', async (t) => {
  const key = await makeSigningKey('rsa', 'RS256')
  const paths: (string | undefined)[] = []
  const keys = await listen(t, () => (request, response) => {
    paths.push(request.url)
    response.end(JSON.stringify({ keys: [{ kty: 'RSA', n: key.jwk.n, e: key.jwk.e, kid: key.jwk.kid }] }))
  })
  const issuer = 'https://issuer.example'
  const { url } = await startBoth(t, {
    JWT_ISSUER: issuer,
    JWT_AUDIENCE: AUDIENCE,
    JWT_JWKS_URL: `${keys}/named`,
  })
  const claims = { iss: issuer, aud: AUDIENCE, sub: 'user-1', exp: Math.floor(Date.now() / 1000) + 60 }
  const token = await sign(claims, key)
  t.equal((await renew(url, bearer(token))).status, 200)
  t.same(paths, ['/named'])
})

function environment(provider: IdentityProvider, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { JWT_ISSUER: provider.issuer, JWT_AUDIENCE: AUDIENCE, TRUST_PROXY: '127.0.0.1', ...more }
}

let addresses = 0

/** Each from an address of its own, or the limit of failed attempts would speak first. */
function renewFromAnywhere(url: string, token: string) {
  addresses += 1
  return renew(url, bearer(token), { 'x-forwarded-for': `198.51.${addresses >> 8}.${addresses & 255}` })
}

/** RFC 6750, section 3: its description is the detail of the body, within its characters. */
function challengeFor(reason: string, body: Record<string, unknown> | undefined): string {
  const description = String(body?.['detail'])
  t.match(description, /^[ !#-[\]-~]+$/)
  const error = reason === 'jwt-scope' ? 'insufficient_scope' : 'invalid_token'
  const scope = reason === 'jwt-scope' ? ', scope="renew"' : ''
  return `Bearer realm="zendesk-session-proxy", error="${error}", error_description="${description}"${scope}`
}

/** HS256 with what everybody can read as the secret. */
async function confused(provider: IdentityProvider, form: 'pem' | 'jwk'): Promise<string> {
  const jwk = provider.publicJwk
  const publicKey = (await importJWK(jwk, 'ES256', { extractable: true })) as CryptoKey
  const secret = form === 'pem' ? await exportSPKI(publicKey) : JSON.stringify(jwk)
  return new SignJWT(provider.claims())
    .setProtectedHeader({ alg: 'HS256', kid: jwk.kid ?? '' })
    .sign(new TextEncoder().encode(secret))
}

function sign(claims: JWTPayload, { privateKey, jwk }: SigningKey): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: jwk.alg ?? '', kid: jwk.kid ?? '' }).sign(privateKey)
}

/** Counts the signatures that are verified in this process. */
function countVerifications(t: Test): () => number {
  const { subtle } = globalThis.crypto
  const verify = subtle.verify.bind(subtle)
  let count = 0
  t.intercept(subtle, 'verify', {
    value: (...args: Parameters<typeof verify>) => {
      count += 1
      return verify(...args)
    },
  })
  return () => count
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

async function textOf(answer: ReturnType<typeof renew>): Promise<string> {
  const { text, headers } = await answer
  return text + String(headers.get('www-authenticate'))
}

function answering(value: object): RequestListener {
  return (_request, response) => {
    response.end(JSON.stringify(value))
  }
}

async function listen(t: Test, listener: (origin: string) => RequestListener): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  server.on('request', listener(origin))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return origin
}
