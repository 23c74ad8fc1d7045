import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { examine } from '../src/doctor/examine.js'
import { report } from '../src/doctor/report.js'
import { selfSigned } from './support/certificate.js'
import { compiled } from './support/compiled.js'
import { Collector } from './support/collector.js'
import { visit, visitByProcess } from './support/doctor-visit.js'
import { TestProxy } from './support/forward-proxy.js'
import { freePort } from './support/free-port.js'
import { startService, startZendesk } from './support/helper.js'
import { IdentityProvider } from './support/identity-provider.js'
import { SANDBOX_CREDENTIALS } from './sandbox/zendesk.js'

const { bearerToken } = SANDBOX_CREDENTIALS
const BEARER = { ZENDESK_OAUTH_TOKEN: bearerToken, ZENDESK_TIMEOUT_MS: '700' }

t.test(
  'a name without address, a port without listener and a way through a proxy only are told apart',
  async (t) => {
    const nameless = await visit(t, {
      ...BEARER,
      ZENDESK_TIMEOUT_MS: '5000',
      ZENDESK_URL: 'https://doctor.invalid',
    })
    t.match(nameless.failure, /^address\n.*(could not be resolved|no connection)/)

    const closed = `http://127.0.0.1:${await freePort()}`
    const refused = await visit(t, { ...BEARER, ZENDESK_URL: closed })
    t.match(refused.failure, /^address\nconnection refused at 127\.0\.0\.1:\d+\n\nCheck the port/)
    t.same(refused.levels, ['configuration ok', 'address fail', 'callers ok'])
  },
)

t.test('what is not Zendesk is named, and gets no credential', async (t) => {
  const json = '{"error":{"title":"Forbidden","message":"You do not have access to this page."}}'
  const cases: [status: number, headers: Record<string, string>, body: string, told: RegExp][] = [
    [403, { 'content-type': 'application/json' }, json, /^help desk\nthe refusal is not from Zendesk/],
    [
      401,
      { 'content-type': 'application/json' },
      '{"error":"x"}',
      /^help desk\nthe refusal is not from Zendesk/,
    ],
    [
      302,
      { location: 'http://login.example/' },
      '',
      /^help desk\nthe answer is not from Zendesk: a captive portal/,
    ],
    [
      200,
      { 'content-type': 'text/html' },
      '<html>Sign in</html>',
      /^help desk\nthe answer is not from Zendesk: a captive portal/,
    ],
  ]
  for (const [status, headers, body, told] of cases) {
    const asked: (string | undefined)[] = []
    const server = createHttpServer((request, response) => {
      asked.push(request.headers.authorization)
      response.writeHead(status, headers).end(body)
    })
    const { failure } = await visit(t, {
      ...BEARER,
      ZENDESK_URL: `http://127.0.0.1:${await portOf(t, server)}`,
    })
    t.match(failure, told)
    t.match(failure, /No credential was sent/)
    t.same(asked, [undefined], `${status}: asked once, without credentials`)
  }
})

t.test('http spoken to a TLS port and a gateway that wants a client certificate are named', async (t) => {
  const own = selfSigned()
  const { zendesk } = await startZendesk(t, { tls: own })
  const plain = await visit(t, { ...BEARER, ZENDESK_URL: zendesk.url.replace('https:', 'http:') }, zendesk)
  t.match(plain.failure, /^help desk\nthis port speaks TLS, but ZENDESK_URL says http\n[^]*Write https/)

  const gateway = createHttpsServer({ ...own, requestCert: true, rejectUnauthorized: true })
  const trusted = { NODE_EXTRA_CA_CERTS: await fileOf(t, own.cert) }
  const environment = { ...BEARER, ZENDESK_TIMEOUT_MS: '5000', ...trusted }
  const visited = await visitByProcess(t, {
    ...environment,
    ZENDESK_URL: `https://127.0.0.1:${await portOf(t, gateway)}`,
  })
  t.match(visited.output, /^fail +help desk +a gateway in between asks for a client certificate$/m)
})

t.test('it goes through the forward proxy, and names what keeps that from working', async (t) => {
  const { zendesk } = await startZendesk(t)
  const proxy = await TestProxy.start(t)
  const through = await visit(t, { ...BEARER, ZENDESK_URL: zendesk.url, HTTP_PROXY: proxy.url }, zendesk)
  t.match(through.output, /^ok +address +the forward proxy 127\.0\.0\.1:\d+ connects to 127\.0\.0\.1:\d+$/m)
  t.equal(through.well, true)

  const remote = { ...BEARER, ZENDESK_URL: 'https://acme.example' }
  const causes: [refuses: number, told: RegExp][] = [
    [407, /^address\n.*refuses the user or password \(407\)\n\nCorrect them in HTTPS_PROXY/],
    [403, /^address\n.*does not allow acme\.example:443 \(403\)/],
    [502, /^address\n.*cannot connect to acme\.example:443 \(502\)/],
  ]
  for (const [refuses, told] of causes) {
    proxy.refuses = refuses
    t.match((await visit(t, { ...remote, HTTPS_PROXY: proxy.url })).failure, told)
  }
  const gone = await visit(t, { ...remote, HTTPS_PROXY: `http://127.0.0.1:${await freePort()}` })
  t.match(gone.failure, /^address\ncannot use the forward proxy 127\.0\.0\.1:\d+ \(REFUSED\)/)
})

t.test(
  'Redis, the collector and PUBLIC_URL are looked at, and none of them fails the examination',
  async (t) => {
    const { zendesk } = await startZendesk(t)
    const collector = await Collector.start(t)
    const { url } = await startService(t, { ZENDESK_URL: zendesk.url, ...BEARER })
    const closed = `127.0.0.1:${await freePort()}`
    const good = {
      ...BEARER,
      ZENDESK_URL: zendesk.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      PUBLIC_URL: url,
    }
    const well = await visit(t, { ...good, REDIS_URL: `redis://${closed}` }, zendesk)
    t.match(well.output, /^ok +collector +http:\/\/127\.0\.0\.1:\d+ accepts traces$/m)
    t.match(well.output, /^ok +public URL +http:\/\/127\.0\.0\.1:\d+ leads to this service$/m)
    t.match(
      well.output,
      /^warn +redis +replicas would not share budget and limits: 127\.0\.0\.1:\d+: ECONNREFUSED$/m,
    )
    t.equal(well.well, true)

    const elsewhere = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${closed}`, PUBLIC_URL: zendesk.url }
    const ill = await visit(t, { ...BEARER, ZENDESK_URL: zendesk.url, ...elsewhere }, zendesk)
    t.match(
      ill.output,
      /^warn +collector +cannot send traces to http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)$/m,
    )
    t.match(ill.output, /^warn +public URL +http:\/\/127\.0\.0\.1:\d+\/livez answers 404$/m)
  },
)

t.test('who may call is told, and whether the keys of each issuer can be had', async (t) => {
  const { zendesk } = await startZendesk(t)
  const environment = { ...BEARER, ZENDESK_URL: zendesk.url }
  const open = await visit(t, environment, zendesk)
  t.match(open.output, /^ok +callers +anyone on this machine may call, without a credential$/m)

  const identity = await IdentityProvider.start(t)
  const issuers = {
    ...environment,
    CALLER_KEYS: `web:${'0a'.repeat(32)},billing:${'0b'.repeat(32)},web:${'0c'.repeat(32)}`,
    JWT_ISSUER: `${identity.issuer},${zendesk.url}`,
    JWT_AUDIENCE: 'sessions',
  }
  const { output, well } = await visit(t, issuers, zendesk)
  t.match(output, /^ok +callers +keys of web, billing$/m)
  t.match(output, new RegExp(`^ok +callers +fetched the keys of ${identity.issuer}$`, 'm'))
  t.match(output, /^warn +callers +cannot fetch the keys of http:\/\/127\.0\.0\.1:\d+ \(status-404\)$/m)
  t.equal(well, true)
})

t.test('silence ends with ZENDESK_TIMEOUT_MS, in the handshake and after it', async (t) => {
  const { zendesk } = await startZendesk(t)
  zendesk.misbehave({ kind: 'silence' })
  const quiet = await timed(() => visit(t, { ...BEARER, ZENDESK_URL: zendesk.url }, zendesk))
  t.match(quiet.failure, /^help desk\nno answer within 700 ms/)
  t.ok(quiet.tookMs < 2000)

  const mute = await timed(async () =>
    visit(t, { ...BEARER, ZENDESK_URL: `https://127.0.0.1:${await mutePort(t)}` }),
  )
  t.match(mute.failure, /^certificate\nno TLS handshake within 700 ms/)
  t.ok(mute.tookMs < 2000)
})

t.test('https where there is none is told', async (t) => {
  const { zendesk } = await startZendesk(t)
  const { failure } = await visit(t, { ...BEARER, ZENDESK_URL: zendesk.url.replace('http:', 'https:') })
  t.match(failure, /^certificate\n.*does not speak TLS[^]*Check scheme and port/)
})

t.test(
  'nothing is sent to a server whose certificate does not verify, and its issuer is named',
  async (t) => {
    const { zendesk } = await startZendesk(t, {
      tls: selfSigned({ organization: 'Acme\u001b[2J Inspection' }),
    })
    const { failure, output, levels } = await visit(t, { ...BEARER, ZENDESK_URL: zendesk.url }, zendesk)
    t.match(failure, /^certificate\nthe certificate does not verify\nIssued by Acme[^]*NODE_EXTRA_CA_CERTS/)
    t.notOk(output.includes('\u001b'), 'the issuer does not move the cursor')
    t.same(levels.slice(-2), ['certificate fail', 'callers ok'])
    t.equal(zendesk.requests.length, 0)
  },
)

t.test('an issuer that bears the name of our secret is not printed', async (t) => {
  const { zendesk } = await startZendesk(t, { tls: selfSigned({ organization: bearerToken }) })
  const { failure } = await visit(t, { ...BEARER, ZENDESK_URL: zendesk.url }, zendesk)
  t.match(failure, /^certificate\nwithheld/)
})

t.test(
  'as a process it trusts NODE_EXTRA_CA_CERTS, and its exit code tells whether all is well',
  async (t) => {
    const cases = [
      [
        { days: 60 },
        0,
        /^ok +certificate +verifies; issued by Sandbox Authority, Sandbox Root, expires in 60 days$/m,
      ],
      [{ days: 3 }, 0, /^warn +certificate +verifies;.* expires in 3 days$/m],
      [{ days: -3 }, 1, /^fail +certificate +the certificate expired on /m],
      [{ name: 'other.example' }, 1, /^fail +certificate +the certificate is for another name$/m],
    ] as const
    await Promise.all(
      cases.map(async ([wish, exitCode, line]) => {
        const tls = selfSigned(wish)
        const { zendesk } = await startZendesk(t, { tls })
        const trusted = { NODE_EXTRA_CA_CERTS: await fileOf(t, tls.cert) }
        const environment = { ...BEARER, ZENDESK_TIMEOUT_MS: '5000', ZENDESK_URL: zendesk.url, ...trusted }
        const visited = await visitByProcess(t, environment, zendesk)
        t.equal(visited.exitCode, exitCode)
        t.match(visited.output, line)
        t.equal(visited.errors, '')
        t.equal(zendesk.renewals().length, exitCode === 0 ? 1 : 0)
      }),
    )
  },
)

t.test('a reader that closes the pipe ends it without a stack trace', async (t) => {
  const { zendesk } = await startZendesk(t)
  const environment = { ...BEARER, ZENDESK_URL: zendesk.url, PATH: process.env['PATH'] }
  const piped = `'${process.execPath}' '${compiled('src/start.js')}' doctor | head -n 1`
  const { stdout, stderr } = await promisify(execFile)('sh', ['-c', piped], { env: environment })
  t.match(stdout, /^ok +configuration .*\n$/)
  t.equal(stderr, '')
})

t.test('colours are for terminals that have them', async (t) => {
  const print = async (terminal: object): Promise<string> => {
    const printed: string[] = []
    await report(examine({}), { write: (text) => printed.push(text), ...terminal })
    return printed.join('')
  }
  t.ok((await print({ isTTY: true, hasColors: () => true })).startsWith('\u001b[31mfail'))
  t.match(await print({ isTTY: true, hasColors: () => false }), /^fail/)
  t.match(await print({}), /^fail/)
})

async function portOf(t: Test, server: NetServer): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

async function timed<T extends object>(work: () => Promise<T>): Promise<T & { tookMs: number }> {
  const startedAt = performance.now()
  return { ...(await work()), tookMs: performance.now() - startedAt }
}

/** Takes connections and says nothing. */
async function mutePort(t: Test): Promise<number> {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket.on('error', () => undefined)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function fileOf(t: Test, text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'doctor-'))
  t.teardown(() => rm(directory, { recursive: true }))
  const path = join(directory, 'authority.pem')
  await writeFile(path, text)
  return path
}
