import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { echoes } from '../src/zendesk/secret-echo.js'
import { anyText } from './support/any-text.js'
import { checkProblem, credentialKinds, startRaw, until, type Asked } from './support/fixtures.js'
import { ask, startService, startZendesk } from './support/helper.js'
import { SANDBOX_CREDENTIALS, type Fault, type SandboxCredentials } from './sandbox/zendesk.js'

/** Ordinary secrets, such as look different in each encoding, and such as are too short to be told from chance. */
const ACCOUNTS: [what: string, credentials: Partial<SandboxCredentials>][] = [
  ['ordinary', SANDBOX_CREDENTIALS],
  [
    'awkward',
    {
      password: 'sandbox/pass+word ü:~%not>a?secret',
      apiToken: 'sandbox/api+token~not>a?secret=',
      bearerToken: 'sandbox/bearer+token~not.a-secret==',
      clientSecret: 'sandbox/client+secret ü:~%not>a?secret',
    },
  ],
  ['short', { password: 'hunter2', apiToken: 'hunter3', bearerToken: 'hunter4', clientSecret: 'hunter5' }],
]

for (const [what, credentials] of ACCOUNTS) {
  t.test(`Zendesk may echo ${what} credentials anywhere: no caller and no log sees them`, async (t) => {
    const { zendesk } = await startZendesk(t)
    Object.assign(zendesk.credentials, credentials)
    for (const { kind, environment, secret } of credentialKinds(zendesk)) {
      await t.test(kind, async (t) => {
        const { url, log } = await startService(t, environment)
        zendesk.heal()
        t.equal((await ask(`${url}/session/renew`)).status, 200)
        const authorization = String(zendesk.renewals().at(-1)?.headers['authorization'])
        const carried = authorization.replace(/^\w+ /, '')
        const pair = authorization.startsWith('Basic') ? [Buffer.from(carried, 'base64').toString()] : []
        const plants = [secret, authorization, carried, ...pair].flatMap(renderings)

        zendesk.misbehave({ kind: 'echo', target: 'renew' })
        const echoed = await ask(`${url}/session/renew`)
        checkProblem(t, echoed, ECHOED)
        t.same(leaks(echoed, plants), [])

        const seen: string[] = []
        for (const plant of plants) {
          for (const fault of [refusal(plant), success(plant)]) {
            zendesk.misbehave({ ...fault, target: 'renew' })
            const answer = await ask(`${url}/session/renew`)
            if (answer.status !== 502 || leaks(answer, [plant]).length > 0) seen.push(answer.text)
          }
        }
        t.same(seen, [], 'not in an answer')
        const lines = JSON.stringify(log)
        t.ok(log.length > plants.length)
        t.same(
          plants.filter((plant) => lines.includes(plant)),
          [],
          'not in the log',
        )
      })
    }
  })
}

t.test('a secret is found in whatever an operation hands on, however it is written', (t) => {
  const secret = anyText({ minLength: 8, maxLength: 60 })
  const property = fc.property(secret, fc.string(), fc.string(), fc.nat(9), (secret, before, after, way) => {
    const hidden = writings(secret, before, after)[way] ?? ''
    for (const handed of [
      hidden,
      { token: hidden },
      { list: [1, { deep: [null, hidden] }] },
      { [hidden]: true },
    ])
      assert.ok(echoes(handed, ['another secret', secret]), `${way}: ${hidden}`)
  })
  t.doesNotThrow(() => {
    fc.assert(property, { numRuns: 3000 })
  })
  t.end()
})

t.test('what is not a secret is handed on', (t) => {
  const property = fc.property(
    fc.uuid(),
    fc.base64String({ minLength: 86 }),
    fc.string(),
    (secret, token, text) => {
      assert.ok(!echoes({ id: 7, role: 'agent', list: [token, text, null] }, [secret, '', 'hunter2']))
    },
  )
  t.doesNotThrow(() => {
    fc.assert(property, { numRuns: 1000 })
  })
  t.notOk(echoes('a token with hunter2 in it', ['hunter2']), 'a short one may be there by chance')
  t.ok(echoes('hunter2', ['hunter2']))
  t.notOk(echoes('anything', ['']))
  t.end()
})

t.test('a client secret that comes back as a part of an access token is not used', async (t) => {
  const { zendesk } = await startZendesk(t)
  const environment = credentialKinds(zendesk)[0]?.environment ?? {}
  const { clientSecret } = zendesk.credentials
  for (const form of [
    `x${clientSecret}`,
    Buffer.from(`ab${clientSecret}c`).toString('base64'),
    Buffer.from(clientSecret).toString('hex'),
  ]) {
    const { url } = await startService(t, environment)
    zendesk.requests.length = 0
    zendesk.misbehave({ kind: 'body', body: JSON.stringify({ access_token: form }), target: 'token' })
    checkProblem(t, await ask(`${url}/session/renew`), ECHOED)
    t.equal(zendesk.renewals().length, 0)
  }
})

t.test('an access token that the endpoint gives once more is still good', async (t) => {
  let asked = 0
  const { url } = await startRaw(
    t,
    (socket, request) => {
      asked += 1
      const refused = request.startsWith('GET') && asked === 2
      if (request.startsWith('POST')) socket.write(ok({ access_token: 'sandbox-token-1-not-a-secret' }))
      else if (refused) socket.write('HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n')
      else socket.write(ok({ authenticity_token: 'a token' }))
    },
    {
      ZENDESK_OAUTH_TOKEN: '',
      ZENDESK_OAUTH_CLIENT_ID: 'sandbox-client',
      ZENDESK_OAUTH_CLIENT_SECRET: 'sandbox-client-secret-not-a-secret',
    },
  )
  t.equal((await ask(`${url}/session/renew`)).status, 200)
})

t.test('the token endpoint may echo the client secret: nobody sees it', async (t) => {
  const { zendesk } = await startZendesk(t)
  const environment = credentialKinds(zendesk)[0]?.environment ?? {}
  const { clientSecret } = zendesk.credentials
  const faults: Fault[] = [
    { kind: 'echo' },
    { kind: 'status', status: 401, body: clientSecret, headers: { 'X-Request-Id': clientSecret } },
    { kind: 'body', body: JSON.stringify({ access_token: clientSecret }) },
  ]
  for (const fault of faults) {
    const { url, log } = await startService(t, environment)
    zendesk.misbehave({ ...fault, target: 'token' })
    const answer = await ask(`${url}/session/renew`)
    t.equal(answer.status, 502)
    t.same(leaks(answer, renderings(clientSecret)), [])
    t.notOk(JSON.stringify(log).includes(clientSecret))
  }
})

t.test(
  'a token file that was rotated while Zendesk was answering: the old token is not handed on',
  async (t) => {
    const file = `${t.testdir({ token: OLD })}/token`
    let asked: Socket | undefined
    const environment = { ZENDESK_OAUTH_TOKEN: '', ZENDESK_OAUTH_TOKEN_FILE: file }
    const { url, log } = await startRaw(t, (socket) => (asked = socket), environment)
    const answering = ask(`${url}/session/renew`)
    await until('Zendesk is asked', () => asked)
    writeFileSync(file, 'sandbox-new-token-not-a-secret')
    await until('the new token is in use', () => log.some(({ msg }) => /new value in use/.test(String(msg))))
    asked?.write(ok({ authenticity_token: OLD }))
    checkProblem(t, await answering, { status: 502, code: 'zendesk-bad-response', zendesk: { status: 200 } })
  },
)

t.test('an access token that was renewed while Zendesk was answering is not handed on', async (t) => {
  const environment = {
    ZENDESK_OAUTH_TOKEN: '',
    ZENDESK_OAUTH_CLIENT_ID: 'sandbox-client',
    ZENDESK_OAUTH_CLIENT_SECRET: 'sandbox-client-secret-not-a-secret',
  }
  let minted = 0
  let echoed = ''
  const token = () => `sandbox-token-${minted}-not-a-secret`
  const answer = (socket: Socket, carried: string) => {
    if (carried !== token()) echoed = carried
    socket.write(ok({ authenticity_token: echoed === '' ? 'a token' : echoed }))
  }
  const talk = (socket: Socket, request: string) => {
    const carried = /^authorization: Bearer (.*)\r$/im.exec(request)?.[1]
    if (carried === undefined) minted += 1
    if (carried === undefined) socket.write(ok({ access_token: token(), expires_in: 1 }))
    // Late enough for a renewal of the token that began together with this call to be over.
    else setTimeout(answer, 30, socket, carried)
  }
  const { url } = await startRaw(t, talk, environment)
  let last = await ask(`${url}/session/renew`)
  await until('an answer echoes a token of yesterday', async () => {
    last = await ask(`${url}/session/renew`)
    return echoed !== ''
  })
  checkProblem(t, last, { status: 502, code: 'zendesk-bad-response', zendesk: { status: 200 } })
})

t.test('an access token of before, which may still be good, is not handed on', async (t) => {
  const environment = {
    ZENDESK_OAUTH_TOKEN: '',
    ZENDESK_OAUTH_CLIENT_ID: 'sandbox-client',
    ZENDESK_OAUTH_CLIENT_SECRET: 'sandbox-client-secret-not-a-secret',
  }
  const tokens = ['sandbox-token-1-not-a-secret', 'sandbox-token-2-not-a-secret']
  let minted = 0
  let revoked = false
  const talk = (socket: Socket, request: string) => {
    const isFirst = request.includes(tokens[0] ?? '')
    if (request.startsWith('POST')) socket.write(ok({ access_token: tokens[minted++], expires_in: 1800 }))
    else if (isFirst && !revoked) socket.write(ok({ authenticity_token: 'sandbox-session-token' }))
    else if (isFirst) socket.write('HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n')
    else socket.write(ok({ authenticity_token: tokens[0] }))
  }
  const { url, log } = await startRaw(t, talk, environment)
  // A token that Zendesk has accepted once is replaced as soon as it is refused.
  t.equal((await ask(`${url}/session/renew`)).status, 200)
  revoked = true
  const answer = await ask(`${url}/session/renew`)
  t.equal(minted, 2)
  checkProblem(t, answer, { status: 502, code: 'zendesk-bad-response', zendesk: { status: 200 } })
  t.notMatch(JSON.stringify(log), /sandbox-token-/)
})

const OLD = 'sandbox-old-token-not-a-secret'

function ok(body: unknown): string {
  const text = JSON.stringify(body)
  return `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`
}

const ECHOED = {
  status: 502,
  code: 'zendesk-bad-response',
  zendesk: { status: 200, requestId: /^[0-9a-f]{16}-SEA$/ },
}

/** A secret in the ways in which it may come back: in clear, percent-encoded, hexadecimal, base64 of either alphabet, aligned or not. */
function writings(secret: string, before: string, after: string): string[] {
  const whole = Buffer.from(before + secret + after)
  const octets = [...Buffer.from(secret)].map((octet) => `%${octet.toString(16).padStart(2, '0')}`).join('')
  return [
    before + secret + after,
    `${before} ${encodeURIComponent(secret)} ${after}`,
    `${before} ${octets.toUpperCase()}`,
    `${before} ${octets}`,
    whole.toString('hex'),
    whole.toString('hex').toUpperCase(),
    whole.toString('base64'),
    whole.toString('base64url'),
    encodeURIComponent(whole.toString('base64')),
    whole.toString('base64').replace(/.{20}/g, '$&\r\n'),
  ]
}

/** A text as it is, in the kinds of base64, and percent-encoded. */
function renderings(text: string): string[] {
  const base64 = Buffer.from(text).toString('base64')
  const percent = encodeURIComponent(text)
  const lower = percent.replace(/%\w\w/g, (octet) => octet.toLowerCase())
  return [text, base64, base64.replace(/=+$/, ''), Buffer.from(text).toString('base64url'), percent, lower]
}

function refusal(plant: string): Fault {
  return { kind: 'status', status: 422, body: plant, headers: everywhere(plant) }
}

function success(plant: string): Fault {
  const body = JSON.stringify({ authenticity_token: plant })
  return { kind: 'status', status: 200, body, headers: everywhere(plant) }
}

function everywhere(plant: string): Record<string, string> {
  const names = [
    'X-Request-Id',
    'Set-Cookie',
    'WWW-Authenticate',
    'Location',
    'Retry-After',
    'X-Zendesk-Api-Warn',
  ]
  return Object.fromEntries(names.map((name) => [name, plant]))
}

/** Those of the texts that the answer shows. */
function leaks({ text, headers }: Asked, plants: string[]): string[] {
  const shown = `${text} ${JSON.stringify([...headers])}`
  return plants.filter((plant) => shown.includes(plant))
}
