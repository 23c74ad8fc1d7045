import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { examine } from '../src/doctor/examine.js'
import { report } from '../src/doctor/report.js'
import { selfSigned } from './support/certificate.js'
import { compiled } from './support/compiled.js'
import { visit, visitByProcess } from './support/doctor-visit.js'
import { startZendesk } from './support/helper.js'
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
    t.match(nameless.failure, /^address\n.*(has no address|no name server|no connection)/)

    const closed = `http://127.0.0.1:${await closedPort()}`
    const refused = await visit(t, { ...BEARER, ZENDESK_URL: closed })
    t.match(
      refused.failure,
      /^address\nnobody listens at 127\.0\.0\.1, port \d+ \(ECONNREFUSED\)\n\nCheck the port/,
    )
    t.same(refused.levels, ['configuration ok', 'address fail'])
  },
)

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
    t.equal(levels.at(-1), 'certificate fail')
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

t.test('whoever has read enough ends it without a stack trace', async (t) => {
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

async function timed<T extends object>(work: () => Promise<T>): Promise<T & { tookMs: number }> {
  const startedAt = performance.now()
  return { ...(await work()), tookMs: performance.now() - startedAt }
}

async function closedPort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  return port
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
