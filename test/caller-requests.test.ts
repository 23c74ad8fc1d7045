import { connect } from 'node:net'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { buildApp } from '../src/app.js'
import { readConfig } from '../src/config/read.js'
import { ask, speak, startBoth, startZendesk } from './support/helper.js'

const HOST = 'Host: localhost\r\n'
const CLOSE = 'Connection: close\r\n'
const PROBLEM = 'application/problem+json'
const RENEW = '/session/renew'

t.test('bytes that are no valid HTTP get a problem, and Zendesk hears nothing of them', async (t) => {
  const { port, zendesk, log } = await startBoth(t)
  const post = `POST ${RENEW} HTTP/1.1\r\n${HOST}`
  const get = `GET ${RENEW} HTTP/1.1\r\n${HOST}`
  const requests: Record<string, string> = {
    'a URL that cannot be decoded': `GET /%zz HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
    'a sentence': 'hello, is this a service?\r\n\r\n',
    'a TLS handshake': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'a version that does not exist': `GET ${RENEW} HTTP/9.9\r\n${HOST}\r\n`,
    'HTTP/2 in the clothes of HTTP/1': `GET ${RENEW} HTTP/2.0\r\n${HOST}${CLOSE}\r\n`,
    'HTTP/2 without asking': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a method that is no method': `BREW ${RENEW} HTTP/1.1\r\n${HOST}\r\n`,
    'a method in lower case': `get ${RENEW} HTTP/1.1\r\n${HOST}\r\n`,
    'no host': `GET ${RENEW} HTTP/1.1\r\n${CLOSE}\r\n`,
    'two hosts': `${get}Host: other.example\r\n${CLOSE}\r\n`,
    'bare line feeds': `GET ${RENEW} HTTP/1.1\nHost: localhost\nConnection: close\n\n`,
    'a bare line feed after a header': `${get}X-A: a\nX-B: b\r\n\r\n`,
    'a bare carriage return in a header': `${get}X-A: a\rX-B: b\r\n\r\n`,
    'a folded header': `${get}X-A: a\r\n b\r\n\r\n`,
    'a blank before the colon': `${get}X-A : a\r\n\r\n`,
    'a zero byte in a header': `${get}X-A: a\0b\r\n\r\n`,
    'a length and chunks': `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'two lengths': `${post}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
    'a list of lengths': `${post}Content-Length: 2, 2\r\n\r\nab`,
    'a length with a sign': `${post}Content-Length: +2\r\n\r\nab`,
    'a coding that is not chunked in the end': `${post}Transfer-Encoding: chunked, gzip\r\n\r\nab`,
    'two codings': `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
    'a coding that looks like chunked': `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    'a chunk without a size': `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n`,
  }
  for (const [name, bytes] of Object.entries(requests)) {
    const answer = parse(await speak(port, bytes))
    isProblem(t, answer, 400, 'malformed-request', name)
    t.ok(
      log.find(({ requestId }) => requestId === answer.body['requestId']),
      `${name}: in the log`,
    )
  }
  t.equal(zendesk.requests.length, 0)
})

t.test('two Authorization headers are refused, wherever they stand', async (t) => {
  const { port, zendesk } = await startBoth(t)
  const many = 'a:b\r\n'.repeat(2500)
  for (const between of ['', many]) {
    const headers = `Authorization: Bearer one\r\n${between}Authorization: Bearer two\r\n`
    const answer = parse(await speak(port, request('GET', RENEW, headers)))
    isProblem(t, answer, 400, 'malformed-request', `${between.length} bytes in between`)
  }
  t.equal(zendesk.requests.length, 0)
})

t.test('what is too large is refused before Zendesk is called', async (t) => {
  const { port, zendesk } = await startBoth(t)
  const kibibyte = 'a'.repeat(1024)
  const chunks = `401\r\n${kibibyte}a\r\n0\r\n\r\n`
  const requests: Record<string, [status: number, bytes: string]> = {
    headers: [431, request('GET', RENEW, `X-Large: ${'a'.repeat(20_000)}\r\n`)],
    'a URL': [414, request('GET', `${RENEW}?${'a'.repeat(8001 - RENEW.length - 1)}`)],
    'a URL beyond everything': [431, request('GET', `${RENEW}?${'a'.repeat(20_000)}`)],
    'a body': [413, request('POST', RENEW, 'Content-Length: 1025\r\n', `${kibibyte}a`)],
    'a body that is only announced': [413, request('POST', RENEW, 'Content-Length: 99999\r\n')],
    'a body in chunks': [413, request('POST', RENEW, 'Transfer-Encoding: chunked\r\n', chunks)],
  }
  for (const [name, [status, bytes]] of Object.entries(requests))
    isProblem(t, parse(await speak(port, bytes)), status, 'request-too-large', name)
  t.equal(zendesk.requests.length, 0)

  const longest = request('GET', `${RENEW}?${'a'.repeat(8000 - RENEW.length - 1)}`)
  t.equal(parse(await speak(port, longest)).status, 200, 'a URL of 8000 octets is taken')
})

t.test('a small body is ignored, whatever it says to be', async (t) => {
  const { port, zendesk } = await startBoth(t)
  const bodies: Record<string, [headers: string, body: string]> = {
    'no body': ['', ''],
    'an empty body': ['Content-Length: 0\r\n', ''],
    'an empty body of JSON': ['Content-Type: application/json\r\nContent-Length: 0\r\n', ''],
    'broken JSON': ['Content-Type: application/json\r\nContent-Length: 1\r\n', '{'],
    'a poisoned prototype': [
      'Content-Type: application/json\r\nContent-Length: 18\r\n',
      '{"__proto__":null}',
    ],
    'a form': ['Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n', 'a=b'],
    'a malformed content type': ['Content-Type: ;;;/%\r\nContent-Length: 2\r\n', 'hi'],
    'two content types': ['Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 2\r\n', 'hi'],
    'an encoding that is none': ['Content-Encoding: gzip\r\nContent-Length: 2\r\n', 'hi'],
    chunks: ['Transfer-Encoding: chunked\r\n', '2\r\nhi\r\n0\r\n\r\n'],
    'exactly 1 KiB': ['Content-Length: 1024\r\n', 'a'.repeat(1024)],
  }
  for (const [name, [headers, body]] of Object.entries(bodies)) {
    const answer = parse(await speak(port, request('POST', RENEW, headers, body)))
    t.equal(answer.status, 200, name)
  }
  t.equal(zendesk.renewals().length, Object.keys(bodies).length)
  t.ok(
    zendesk.requests.every(({ body, headers }) => body === '' && !('content-type' in headers)),
    'and none of it reaches Zendesk',
  )
})

t.test('a wrong method is told the right ones', async (t) => {
  const { port, zendesk } = await startBoth(t)
  const reading = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
  const paths: Record<string, [allow: string, wrong: string[]]> = {
    [RENEW]: ['GET, POST', ['HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PURGE', 'QUERY']],
    '/api/v2/users/me/session/renew': ['GET', ['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']],
    '/problems': ['GET, HEAD', reading],
    '/problems/not-found': ['GET, HEAD', reading],
    '/livez': ['GET, HEAD', reading],
    '/readyz': ['GET, HEAD', reading],
    '/': ['GET, HEAD', reading],
    '/docs': ['GET, HEAD', reading],
    '/openapi.json': ['GET, HEAD', reading],
    '/openapi.yaml': ['GET, HEAD', reading],
    '/docs/': ['GET, HEAD', reading],
    '/docs/static/swagger-ui.css': ['GET, HEAD', reading],
  }
  for (const spelling of ['/%73ession/renew', `http://localhost${RENEW}`, `${RENEW}?a=b`])
    paths[spelling] = ['GET, POST', ['PUT', 'HEAD']]
  paths['http://localhost'] = paths['http://localhost?a=b'] = ['GET, HEAD', ['PUT']]
  for (const [path, [allow, wrong]] of Object.entries(paths)) {
    for (const method of wrong) {
      const answer = parse(await speak(port, request(method, path)))
      isProblem(t, answer, 405, 'method-not-allowed', `${method} ${path}`)
      t.equal(answer.headers.get('allow'), allow, `${method} ${path} names what is allowed`)
      if (method === 'HEAD') t.equal(answer.text, '', 'no body after HEAD')
    }
  }
  for (const target of ['localhost:80', RENEW]) {
    const tunnel = parse(await speak(port, `CONNECT ${target} HTTP/1.1\r\n${HOST}\r\n`))
    isProblem(t, tunnel, 400, 'malformed-request', `no tunnel to ${target}`)
  }
  t.equal(zendesk.requests.length, 0)
})

t.test('only the paths of the contract lead to Zendesk', async (t) => {
  const { port, zendesk } = await startBoth(t)
  const strangers = [
    '/nothing',
    '/session%2Frenew',
    '/session/./renew',
    '/x/../session/renew',
    '//session/renew',
    '/session//renew',
    '/SESSION/RENEW',
    '/session/renew/',
    '/session/renew;a=b',
    '/session/renew%00',
    '/session/renew%3F',
    '/session/renew%20',
    '/api/v2/users/me/session/renew.xml',
    '/api/v2/users/me',
    '/api/v2/users/1/session/renew',
    '/oauth/tokens',
    '/metrics',
  ]
  for (const path of strangers)
    isProblem(t, parse(await speak(port, request('GET', path))), 404, 'not-found', path)
  t.equal(zendesk.requests.length, 0)

  for (const path of ['/session/rene%77', `${RENEW}?fresh=1`, `http://localhost${RENEW}`])
    t.equal(parse(await speak(port, request('GET', path))).status, 200, `${path} is the renewal`)
  t.same([...new Set(zendesk.requests.map(({ path }) => path))], ['/api/v2/users/me/session/renew'])
})

t.test('old and unusual ways to ask', async (t) => {
  const { port, zendesk } = await startBoth(t)

  const old = parse(await speak(port, `GET ${RENEW} HTTP/1.0\r\n${HOST}\r\n`))
  t.equal(old.status, 200, 'HTTP/1.0 is answered')
  t.equal(old.headers.get('connection'), 'close', 'and the connection ends with the answer')

  const expecting = await speak(
    port,
    request('POST', RENEW, 'Expect: 100-continue\r\nContent-Length: 2\r\n', 'hi'),
  )
  t.match(expecting, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/, 'who expects 100 gets it')

  const line = `GET /livez HTTP/1.1\r\n${HOST}X-Request-Id: `
  const pipelined = await speak(port, `${line}first\r\n\r\n${line}second\r\n${CLOSE}\r\n`)
  const order = [...pipelined.matchAll(/^x-request-id: (\w+)/gm)].map(([, id]) => id)
  t.same(order, ['first', 'second'], 'requests sent in one go are answered in order')

  t.equal(zendesk.renewals().length, 2)
  const surprised = parse(await speak(port, request('POST', RENEW, 'Expect: miracles\r\n')))
  const isHonest = surprised.status === 200 || surprised.headers.get('content-type') === PROBLEM
  t.ok(isHonest, 'an unknown expectation is ignored, or a problem')
})

t.test('who sends too slowly is told so', async (t) => {
  const { app, port, zendesk } = await startBoth(t)
  t.equal(app.server.headersTimeout, 5_000)
  t.equal(app.server.requestTimeout, 10_000)
  // The same limits, shorter: Node looks once a second.
  app.server.headersTimeout = 300
  app.server.requestTimeout = 400
  const beginnings: Record<string, string> = {
    'a silent connection': '',
    'slow headers': `GET ${RENEW} HTTP/1.1\r\n${HOST}X-Slow: `,
    'a slow body': `POST ${RENEW} HTTP/1.1\r\n${HOST}Content-Length: 500\r\n\r\n`,
  }
  const answers = Object.entries(beginnings).map(async ([name, beginning]) => {
    isProblem(t, parse(await speakSlowly(port, beginning)), 408, 'request-timeout', name)
  })
  await Promise.all(answers)
  t.equal(zendesk.requests.length, 0)
})

t.test('one request has one answer, and who asked well before gets theirs first', async (t) => {
  const { app, port, zendesk } = await startBoth(t, { CALLER_KEYS: `a:${'0'.repeat(64)}` })
  app.server.requestTimeout = 300
  const unfinished = `POST ${RENEW} HTTP/1.1\r\n${HOST}Content-Length: 100\r\n\r\nabc`
  const answers = (await speak(port, unfinished)).match(/HTTP\/1\.1 \d{3} \w+/g)
  t.same(
    answers,
    ['HTTP/1.1 401 Unauthorized'],
    'the rest of a body that is not awaited is no second request',
  )
  t.equal(zendesk.requests.length, 0)

  const open = await startBoth(t)
  open.zendesk.misbehave({ kind: 'delay', ms: 300 })
  const good = `GET ${RENEW} HTTP/1.1\r\n${HOST}X-Request-Id: good\r\n\r\n`
  const said = await speak(open.port, `${good}garbage\r\n\r\nand more of it\r\n\r\n`)
  t.match(said, /^HTTP\/1\.1 200 OK\r\n[^]*"authenticity_token"[^]*HTTP\/1\.1 400 Bad Request\r\n/)
  t.equal(said.match(/HTTP\/1\.1 \d{3} /g)?.length, 2)

  const chunked = `POST ${RENEW} HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`
  for (const wrong of [chunked, `CONNECT localhost:80 HTTP/1.1\r\n${HOST}\r\n`]) {
    const both = await speak(open.port, good + wrong)
    t.same(both.match(/HTTP\/1\.1 \d{3} /g), ['HTTP/1.1 200 ', 'HTTP/1.1 400 '], wrong.slice(0, 7))
  }
})

t.test('who sends a body that is much too large can still read the answer', async (t) => {
  const { url, zendesk } = await startBoth(t)
  for (let times = 0; times < 10; times++) {
    const answer = await ask(url + RENEW, { method: 'POST', body: new Uint8Array(5_000_000) })
    t.match(answer, { status: 413, body: { code: 'request-too-large' } })
  }
  t.equal(zendesk.requests.length, 0)
})

t.test("the caller's request id is kept where it is harmless", async (t) => {
  const { port } = await startBoth(t)
  const long = 'a'.repeat(128)
  for (const id of ['checkout-4711', 'A.b_c-9', long]) {
    const answer = parse(await speak(port, request('GET', '/nothing', `X-Request-Id: ${id}\r\n`)))
    t.equal(answer.headers.get('x-request-id'), id)
    t.equal(answer.body['requestId'], id)
  }
  const replaced = [
    '',
    'X-Request-Id: \r\n',
    `X-Request-Id: ${long}a\r\n`,
    'X-Request-Id: a b\r\n',
    'X-Request-Id: <script>\r\n',
    'X-Request-Id: \xe9\r\n',
    'X-Request-Id: one\r\nX-Request-Id: two\r\n',
    `X-Request-Id: zsp_${long.slice(0, 49)}\r\n`,
    `X-Request-Id: fake-key-of-mine\r\nAuthorization: Bearer fake-key-of-mine\r\n`,
    `X-Request-Id: ${btoa('fake-key-of-mine')}\r\nAuthorization: Bearer fake-key-of-mine\r\n`.replaceAll(
      '=',
      '',
    ),
    `X-Request-Id: fake-key-of-mine\r\nAuthorization: Basic ${btoa('me:fake-key-of-mine')}\r\n`,
  ]
  for (const header of replaced) {
    const answer = parse(await speak(port, request('GET', '/nothing', header)))
    t.match(answer.headers.get('x-request-id'), /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/, header)
    t.equal(answer.body['requestId'], answer.headers.get('x-request-id'))
  }
})

t.test('in open mode only local names are answered', async (t) => {
  const { port, zendesk } = await startBoth(t)
  const local = ['localhost', 'LOCALHOST', `localhost:${port}`, '127.0.0.1', `[::1]:${port}`, 'a.localhost']
  for (const name of local) t.equal(parse(await speak(port, renewAs(`Host: ${name}\r\n`))).status, 200, name)
  t.equal(zendesk.renewals().length, local.length)

  const foreign = [
    'evil.example',
    'localhost.evil.example',
    'localhost@evil.example',
    '192.0.2.1',
    '[::1',
    '',
  ]
  for (const name of foreign)
    isProblem(t, parse(await speak(port, renewAs(`Host: ${name}\r\n`))), 403, 'origin-not-allowed', name)
  const forwarded = renewAs('Host: evil.example\r\nX-Forwarded-Host: localhost\r\n')
  isProblem(t, parse(await speak(port, forwarded)), 403, 'origin-not-allowed', 'a forwarded name')
  const behind = await startBoth(t, { TRUST_PROXY: '127.0.0.1' })
  const passedOn = await speak(behind.port, forwarded)
  isProblem(t, parse(passedOn), 403, 'origin-not-allowed', 'a forwarded name, passed on by a trusted proxy')
  t.equal(behind.zendesk.requests.length, 0)
  const anyone = await startBoth(t, {
    ALLOW_ANONYMOUS_CALLERS: 'true',
    PUBLIC_URL: 'https://sessions.example.com',
  })
  const ours = [
    'sessions.example.com',
    'Sessions.example.com:443',
    '192.0.2.1:3000',
    '[2001:db8::1]',
    'localhost',
  ]
  for (const name of ours)
    t.equal(parse(await speak(anyone.port, renewAs(`Host: ${name}\r\n`))).status, 200, `anyone, as ${name}`)
  for (const name of ['evil.example', 'sessions.example.com.evil.example', '192.0.2.1.evil.example', '']) {
    const rebound = parse(await speak(anyone.port, renewAs(`Host: ${name}\r\n`)))
    isProblem(t, rebound, 403, 'origin-not-allowed', `anyone, as ${name}`)
  }
  t.equal(anyone.zendesk.renewals().length, ours.length)
  const target = await speak(port, request('GET', `http://evil.example${RENEW}`))
  t.match(parse(target).status, /^40[03]$/, 'the host in the target counts (RFC 9112, section 3.2.2)')
  t.equal(zendesk.renewals().length, local.length)
})

t.test('a page of a foreign origin is refused, our own is served', async (t) => {
  const { port, url, zendesk } = await startBoth(t)
  for (const origin of [
    'https://evil.example',
    'null',
    '',
    `http://localhost:${port + 1}`,
    url.toUpperCase(),
  ]) {
    const answer = await ask(url + RENEW, { method: 'POST', headers: { origin } })
    t.equal(answer.status, 403, origin)
    t.equal(answer.body?.['code'], 'origin-not-allowed')
  }
  const two = renewAs(`Host: 127.0.0.1:${port}\r\nOrigin: ${url}\r\nOrigin: https://evil.example\r\n`)
  isProblem(t, parse(await speak(port, two)), 403, 'origin-not-allowed', 'two origins')
  t.equal(zendesk.requests.length, 0)

  const own = await ask(url + RENEW, { method: 'POST', headers: { origin: url } })
  t.equal(own.status, 200)
  t.equal(zendesk.renewals().length, 1)
})

t.test('a bug is a 500 that tells its place to the operator and nothing to anybody', async (t) => {
  const { environment } = await startZendesk(t)
  const config = await readConfig({ ...environment, LOG_LEVEL: 'trace' })
  let log = ''
  const sink = new Writable({
    write(chunk: Buffer, _encoding, written) {
      log += chunk.toString()
      written()
    },
  })
  const app = await buildApp(config, pino({ level: 'trace' }, sink))
  t.teardown(() => app.close())
  const canary = 'canary-of-a-secret'
  const bugs: Record<string, () => never> = {
    '/error': () => {
      throw new TypeError(`cannot read ${canary}`, { cause: new Error(canary) })
    },
    '/lines': () => {
      throw new Error(`first line\n    at ${canary}\n`)
    },
    '/fields': () => {
      throw Object.assign(new Error(canary), { statusCode: 503, headers: { authorization: canary } })
    },
    '/text': () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- libraries do
      throw canary
    },
  }
  for (const [path, bug] of Object.entries(bugs)) app.get(path, bug)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })

  for (const path of Object.keys(bugs)) {
    const answer = parse(await speak(Number(new URL(url).port), request('GET', path)))
    isProblem(t, answer, 500, 'internal-error', path)
    t.notMatch(JSON.stringify([...answer.headers]) + answer.text, canary, `${path}: not in the answer`)
    const line = log.split('\n').find((each) => each.includes(String(answer.body['requestId'])))
    t.match(line, '"msg":"internal error"', `${path}: in the log under its request id`)
    if (path !== '/text')
      t.match(line, /"frames":\["\s+at .*caller-requests\.test\.ts/, `${path}: with its place`)
  }
  t.notMatch(log, canary, 'not in the log')
})

interface RawAnswer {
  status: number
  headers: Headers
  text: string
  body: Record<string, unknown>
}

/** The first answer in these bytes. */
function parse(bytes: string): RawAnswer {
  const end = bytes.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = bytes.slice(0, end).split('\r\n')
  const headers = new Headers(
    lines.map((line): [string, string] => [
      line.slice(0, line.indexOf(':')),
      line.slice(line.indexOf(':') + 1),
    ]),
  )
  const text = bytes.slice(end + 4)
  const body = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {}
  return { status: Number(statusLine.split(' ')[1]), headers, text, body }
}

function isProblem(t: Test, answer: RawAnswer, status: number, code: string, name: string) {
  const { headers, text, body } = answer
  const requestId = headers.get('x-request-id')
  t.match(requestId, /^[\w.-]{1,128}$/, `${name}: its request id`)
  t.hasStrict(
    { status: answer.status, ...Object.fromEntries(headers) },
    {
      status,
      'content-type': PROBLEM,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
    `${name}: status and headers`,
  )
  // An answer to HEAD has none.
  if (text !== '') t.hasStrict(body, { status, code, requestId }, `${name}: body`)
}

function request(method: string, target: string, headers = '', body = ''): string {
  return `${method} ${target} HTTP/1.1\r\n${HOST}${CLOSE}${headers}\r\n${body}`
}

function renewAs(headers: string): string {
  return `POST ${RENEW} HTTP/1.1\r\n${CLOSE}${headers}\r\n`
}

/** The bytes given, then one more every so often until the other side has had enough. */
function speakSlowly(port: number, beginning: string): Promise<string> {
  return new Promise((resolve) => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(beginning))
    const timer = setInterval(() => {
      if (beginning !== '') socket.write('a')
    }, 100)
    socket.on('data', (chunk) => (received += chunk.toString('latin1')))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearInterval(timer)
      resolve(received)
    })
  })
}
