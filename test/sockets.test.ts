import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readdirSync } from 'node:fs'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { IN_FLIGHT_PER_CONNECTION } from '../src/sockets/limits.js'
import { Sockets } from '../src/sockets/sockets.js'
import { eventually } from './support/credentials.js'
import { ask, speak, startBoth, startService, startZendesk } from './support/helper.js'

const HOST = 'Host: localhost\r\n'
const RENEW = `GET /session/renew HTTP/1.1\r\n${HOST}\r\n`
const LIVEZ = `GET /livez HTTP/1.1\r\n${HOST}\r\n`

t.test('no client that resets its connection stops the service, on either port', async (t) => {
  const { url, port, metricsPort } = await startWithMetrics(t)
  const connectTo = `CONNECT x:1 HTTP/1.1\r\n${HOST}\r\n`
  const upgrade = `GET /livez HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`
  const starts: Record<string, string> = {
    CONNECT: connectTo,
    'CONNECT behind a request': RENEW + connectTo,
    'CONNECT behind two, and bytes behind it': LIVEZ + RENEW + connectTo + 'x'.repeat(1000),
    'an upgrade': upgrade,
    'an expectation': `POST /session/renew HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 9\r\n\r\n`,
    'an unknown expectation': `GET /livez HTTP/1.1\r\n${HOST}Expect: miracles\r\n\r\n`,
    'a bad request': 'garbage\r\n\r\n',
    'half a request': 'GET /livez HT',
    nothing: '',
  }
  await ask(`${url}/session/renew`)
  const before = descriptors()
  for (const target of [port, metricsPort]) {
    for (const bytes of Object.values(starts)) {
      await Promise.all(Array.from({ length: 10 }, () => reset(target, bytes)))
      await Promise.all(Array.from({ length: 10 }, () => reset(target, bytes, 3)))
    }
  }
  t.equal((await ask(`${url}/livez`)).status, 200)
  t.equal((await ask(`http://127.0.0.1:${metricsPort}/metrics`)).status, 200)
  // Some connections to Zendesk and of these two questions are kept alive.
  await eventually(() => descriptors() <= before + 25, 10_000)
})

t.test('a connection may pipeline so many requests; what comes after them is not read', async (t) => {
  const { port, zendesk, log } = await startBoth(t)
  zendesk.misbehave({ kind: 'delay', ms: 300 })
  const most = IN_FLIGHT_PER_CONNECTION
  const parsed = requestsParsed(t)
  const said = await speak(port, RENEW.repeat(most) + LIVEZ.repeat(1500))
  t.equal(said.match(/HTTP\/1\.1 200 OK/g)?.length, most, 'the first ones are answered')
  t.equal(said.match(/connection: close/gi)?.length, 1, 'the last answer says that there are no more')
  t.ok(said.endsWith('"}'), 'whole')
  await eventually(() => lines(log).length >= most)
  t.equal(lines(log).length, most, 'no handler ran for the others')
  t.equal(zendesk.renewals().length, 1)
  // Each further read of the socket may bring one more.
  t.ok(parsed() < most + 100, `${parsed()} of ${most + 1500} requests were parsed`)

  const openapi = `GET /openapi.json HTTP/1.1\r\n${HOST}\r\n`
  const clients = Array.from({ length: 20 }, () => connect(port, '127.0.0.1'))
  for (const client of clients) {
    client.on('error', () => undefined)
    client.pause()
    client.write(RENEW.repeat(most - 1) + openapi.repeat(1500))
  }
  await eventually(() => lines(log).length > most)
  t.equal((await ask(`http://127.0.0.1:${port}/livez`)).status, 200)
  for (const client of clients) client.destroy()
  await delay(500)
  // What is refused at once because the machine is too slow is no longer in flight, and makes room for others.
  const taken = lines(log).filter(({ code }) => code !== 'service-unavailable').length
  t.ok(taken <= most + clients.length * most + 1, `${taken} of 30,000 requests had a handler`)
})

t.test('nothing behind a request to switch protocols is taken for a request', async (t) => {
  const { port, log } = await startBoth(t)
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
  const smuggled = `GET /livez HTTP/1.1\r\n${HOST}x-request-id: smuggled\r\n\r\n`
  const post = `POST /session/renew HTTP/1.1\r\n${HOST}Content-Length: ${smuggled.length}\r\n\r\n`
  const starts = [
    `GET /session/renew HTTP/1.1\r\n${HOST}${upgrade}\r\n${post}`,
    `POST /session/renew HTTP/1.1\r\n${HOST}${upgrade}Content-Length: 5\r\n\r\nabcde${post}`,
  ]
  for (const start of starts) {
    const client = connect(port, '127.0.0.1')
    client.write(start)
    setTimeout(() => client.write(smuggled), 50)
    const said = await readAll(client)
    t.match(
      said,
      /^HTTP\/1\.1 200 OK[^]*connection: close/i,
      'it is answered as if it had not asked for that',
    )
    t.equal(said.match(/HTTP\/1\.1/g)?.length, 1, 'and the connection ends')
  }
  t.notOk(log.some(({ requestId }) => requestId === 'smuggled'))
})

t.test('requests that were pipelined one after the other are answered in order', async (t) => {
  const { port, zendesk } = await startBoth(t)
  zendesk.misbehave({ kind: 'delay', ms: 100 })
  const said = await speak(port, RENEW + LIVEZ + `GET /nothing HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`)
  t.same(said.match(/HTTP\/1\.1 \d{3}/g), ['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 404'])
  t.match(said, /authenticity_token[^]*"ok"[^]*not-found/)
})

t.test('an answer that its client does not read is given up, and does not count as work', async (t) => {
  const sockets = new Sockets(100, 10)
  const body = Buffer.alloc(8_000_000)
  const server = sockets.createServer((_request, response) => {
    response.end(body)
  })
  server.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((listening) => server.once('listening', listening))
  const { port } = server.address() as AddressInfo
  const client = connect(port, '127.0.0.1')
  client.on('error', () => undefined)
  client.pause()
  client.write(LIVEZ.repeat(3))
  await eventually(async () => (await connectionsOf(server)) > 0)
  await delay(50)
  t.notOk(sockets.isBusy(), 'nothing is left to do for it')
  await eventually(async () => (await connectionsOf(server)) === 0, 10_000)
  client.destroy()
})

t.test('nothing is written to a client that has left, and its answers close with the socket', async (t) => {
  const sockets = new Sockets(1000, 10)
  const written: boolean[] = []
  const server = sockets.createServer((request, response) => {
    response.once('close', () => written.push(response.headersSent))
    if (written.length > 0) request.socket.end()
    response.writeHead(200, { connection: 'close' }).end('at once')
  })
  server.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((listening) => server.once('listening', listening))
  const { port } = server.address() as AddressInfo
  t.match(await speak(port, LIVEZ), /at once/)
  t.equal(await speak(port, LIVEZ), '')
  await eventually(() => written.length === 2)
  t.same(written, [true, false])
})

t.test('each request of a client that leaves is in the log', async (t) => {
  const { port, zendesk, log, app } = await startBoth(t)
  zendesk.misbehave({ kind: 'delay', ms: 200 })
  let written = 0
  app.onRequestEnd((_request, { raw }) => {
    if (raw.headersSent) written += 1
  })
  const socket = connect(port, '127.0.0.1', () => socket.write(RENEW.repeat(5)))
  await eventually(() => zendesk.renewals().length > 0)
  socket.destroy()
  await eventually(() => lines(log).length === 5)
  t.ok(lines(log).every(({ msg }) => msg === 'caller left'))
  await delay(300)
  t.equal(lines(log).length, 5, 'once')
  t.equal(written, 0, 'and nothing is written to it')
})

t.test('no bytes that a client can choose are an internal error', async (t) => {
  const { port, log } = await startBoth(t)
  const character = fc.oneof(
    fc.constantFrom('#', '%', '%80', '/', '?', '*', '\\', '%00', ';', ':', '@'),
    fc.string({ unit: 'binary-ascii', maxLength: 1 }),
  )
  const target = fc.array(character, { maxLength: 12 }).map((parts) => `/${parts.join('')}`)
  const method = fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'QUERY', 'TRACE')
  const version = fc.constantFrom('1.1', '1.0')
  const header = fc.constantFrom(
    '',
    'Transfer-Encoding: chunked\r\n',
    'Content-Type: ;\r\n',
    'Origin: null\r\n',
    'Accept: ;;;q=\r\n',
    'Content-Length: 3\r\n',
    'X-Forwarded-For: , ,\r\n',
    'Authorization: Basic %\r\n',
    'Access-Control-Request-Method: \r\n',
  )
  const request = fc.tuple(method, target, version, header)
  const property = fc.asyncProperty(request, async ([method, target, version, header]) => {
    const bytes = `${method} ${target} HTTP/${version}\r\n${HOST}Connection: close\r\n${header}\r\nxyz`
    const said = await speak(port, Buffer.from(bytes, 'latin1'), 1000)
    t.notMatch(said, / 500 Internal/, JSON.stringify(bytes))
    t.match(said, /^HTTP\/1\.1 [234]/, JSON.stringify(bytes))
  })
  await fc.assert(property, { numRuns: 200, endOnFailure: true })
  const cases = [
    '/foo#%80',
    '/#',
    '/foo#',
    '/docs#/x',
    '/docs/static/%80',
    '/%80',
    '/a%',
    '//%80',
    'http://localhost/#%80',
  ]
  for (const target of cases)
    t.match(await speak(port, `GET ${target} HTTP/1.1\r\n${HOST}\r\n`, 500), /^HTTP\/1\.1 4/)
  t.notOk(log.find(({ msg }) => msg === 'internal error'))
})

t.test('HTTP/1.0 with a transfer coding is refused and the connection closed', async (t) => {
  const { port, zendesk } = await startBoth(t)
  const head = `POST /session/renew HTTP/1.0\r\n${HOST}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n`
  const said = await speak(port, `${head}0\r\n\r\n${LIVEZ}`)
  t.same(said.match(/HTTP\/1\.1 \d{3}/g), ['HTTP/1.1 400'])
  t.match(said, /^connection: close/im)
  t.equal(zendesk.requests.length, 0)
})

t.test('every answer carries the same headers, whatever wrote it', async (t) => {
  const { app, port } = await startBoth(t)
  const close = 'Connection: close\r\n'
  const requests: Record<string, string> = {
    'a renewal': `GET /session/renew HTTP/1.1\r\n${HOST}${close}\r\n`,
    'a page': `GET /problems HTTP/1.1\r\n${HOST}${close}Accept: text/html\r\n\r\n`,
    'an unknown path': `GET /nothing HTTP/1.1\r\n${HOST}${close}\r\n`,
    'a bad URL': `GET /%zz HTTP/1.1\r\n${HOST}${close}\r\n`,
    'a preflight': `OPTIONS /session/renew HTTP/1.1\r\n${HOST}${close}Origin: https://a.example\r\n\r\n`,
    garbage: 'garbage\r\n\r\n',
    'a tunnel': `CONNECT x:1 HTTP/1.1\r\n${HOST}\r\n`,
    'large headers': `GET / HTTP/1.1\r\n${HOST}X-Large: ${'a'.repeat(20_000)}\r\n\r\n`,
  }
  for (const [what, bytes] of Object.entries(requests)) {
    const [head = ''] = (await speak(port, bytes)).split('\r\n\r\n', 1)
    for (const [name, value] of Object.entries(app.answerHeaders('x'))) {
      const sent = new RegExp(`^${name}: (.*)$`, 'm').exec(head)?.[1]
      if (name === 'x-request-id') t.match(sent, /^[\w.-]+$/, `${what} has ${name}`)
      else t.equal(sent, value, `${what} has ${name}`)
    }
  }
})

t.test('requests that were sent before the service stops listening are answered', async (t) => {
  const { zendesk, environment } = await startZendesk(t)
  const { app, port } = await startService(t, environment)
  const clients = Array.from({ length: 20 }, () => connect(port, '127.0.0.1'))
  await Promise.all(clients.map((client) => new Promise((open) => client.once('connect', open))))
  const closed = app.close()
  const answers = clients.map((client) => readAll(client))
  for (const client of clients) client.write(RENEW)
  for (const answer of await Promise.all(answers)) t.match(answer, /^HTTP\/1\.1 200 OK[^]*connection: close/i)
  await closed
  t.ok(zendesk.renewals().length > 0)
  await t.rejects(ask(`http://127.0.0.1:${port}/livez`), 'and it listens no more')
})

async function startWithMetrics(t: Test) {
  const { zendesk, environment } = await startZendesk(t)
  const service = await startService(t, { ...environment, METRICS_PORT: '0' })
  const address = service.log.find(({ msg }) => msg === 'serving metrics')?.['address']
  return { ...service, zendesk, metricsPort: Number(new URL(String(address)).port) }
}

/** Sends the bytes and resets the connection (SO_LINGER 0), after a moment so that they are read first. */
async function reset(port: number, bytes: string, afterMs = 20): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await new Promise((open) => socket.once('connect', open))
  if (bytes !== '') socket.write(bytes)
  await delay(afterMs)
  socket.resetAndDestroy()
}

function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => (text += chunk))
    socket.on('error', reject)
    socket.on('end', () => {
      resolve(text)
    })
  })
}

function connectionsOf(server: ReturnType<Sockets['createServer']>): Promise<number> {
  return new Promise((resolve) => {
    server.getConnections((_error, count) => {
      resolve(count)
    })
  })
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length
}

function lines(log: Record<string, unknown>[]): Record<string, unknown>[] {
  return log.filter(({ msg }) => msg === 'request' || msg === 'caller left')
}

/** How many requests Node's parser has made objects of, from now on, in this process. */
function requestsParsed(t: Test): () => number {
  let parsed = 0
  const count = () => {
    parsed += 1
  }
  subscribe('http.server.request.start', count)
  t.teardown(() => unsubscribe('http.server.request.start', count))
  return () => parsed
}
