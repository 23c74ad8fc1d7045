import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { pino } from 'pino'
import { ConfigError } from '../src/config/faults.js'
import { readConfig } from '../src/config/read.js'
import { HandshakeFailures } from '../src/sockets/handshake-failures.js'
import { Sockets } from '../src/sockets/sockets.js'
import { CertificateFiles } from '../src/tls/certificate-files.js'
import { selfSigned } from './support/certificate.js'
import { eventually } from './support/credentials.js'
import { startBoth } from './support/helper.js'

t.test('over https everything holds that holds over http', async (t) => {
  const { own, environment } = files(t)
  const { app, port, log } = await startBoth(t, environment)
  const options = { port, ca: own.cert }
  t.ok(log.some(({ msg }) => String(msg).startsWith(`Server listening at https://127.0.0.1:${port}`)))
  t.match(await get(options), { status: 200, body: /authenticity_token/ })

  const ours = { origin: `https://127.0.0.1:${port}`, 'x-forwarded-proto': 'http' }
  t.equal(
    (await get(options, ours)).status,
    200,
    'our own origin is https, whatever an untrusted client forwards',
  )
  t.equal((await get(options, { origin: `http://127.0.0.1:${port}` })).status, 403)

  const refused = await say(options, 'GET / HTTP/1.1\r\nbad header\r\n\r\n')
  t.match(refused, /^HTTP\/1\.1 400 Bad Request\r\n[^]*application\/problem\+json[^]*malformed-request/)
  const many = await say(options, 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(40))
  const answers = many.match(/HTTP\/1\.1 200/g)?.length ?? 0
  t.ok(answers >= 1 && answers <= 16, `${answers} answers on a connection that asked for 40`)
  t.ok(app.server.maxConnections > 0)
})

t.test('a handshake that fails is logged with its code and holds nothing up', async (t) => {
  const { environment } = files(t)
  const { app, port, log } = await startBoth(t, environment)
  const plain = connectTcp(port, '127.0.0.1').on('error', () => undefined)
  plain.end('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const old = { port, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  t.equal(await say(old, 'GET /livez HTTP/1.1\r\n\r\n'), '')
  const failures = () => log.filter(({ msg }) => msg === 'tls handshake failed')
  await eventually(() => failures().length === 2)
  t.same(
    failures()
      .map(({ errorCode }) => errorCode)
      .sort(),
    ['ERR_SSL_HTTP_REQUEST', 'ERR_SSL_UNSUPPORTED_PROTOCOL'],
  )

  const silent = connectTcp(port, '127.0.0.1').on('error', () => undefined)
  await once(silent, 'connect')
  await app.close()
  await once(silent, 'close')
  t.pass('a connection without a handshake ended with the service')
})

t.test('certificates are rotated under load without a failed request', async (t) => {
  const { own, environment, paths } = files(t)
  const { port, log, app } = await startBoth(t, environment)
  let trusted = own.cert
  const kept = new Agent({ keepAlive: true, maxSockets: 2, ca: own.cert })
  t.teardown(() => {
    kept.destroy()
  })
  t.equal((await get({ port, agent: kept })).status, 200)
  const statuses: number[] = []
  let isOver = false
  const load = Promise.all(
    [0, 1].map(async () => {
      while (!isOver) {
        statuses.push((await get({ port, agent: kept })).status)
        statuses.push((await get({ port, rejectUnauthorized: false })).status)
      }
    }),
  )
  for (let rotation = 0; rotation < 3; rotation++) {
    const next = selfSigned({ days: 30 + rotation })
    replace(paths.cert, next.cert)
    replace(paths.key, next.key)
    await eventually(async () => (await certificateOf(port)) === fingerprint(next.cert))
    trusted = next.cert
  }
  isOver = true
  await load
  t.ok(statuses.length > 0 && statuses.every((status) => status === 200), `${statuses.length} requests`)
  t.match(await get({ port, ca: trusted }), { status: 200 })
  const changes = log.filter(({ secret }) => secret === 'TLS_CERT_FILE')
  t.same(
    changes.map(({ msg }) => msg),
    new Array(3).fill('secret file changed, new value in use'),
  )

  replace(paths.key, selfSigned().key)
  await eventually(() => log.some(({ msg }) => String(msg).includes('keeping the last good one')))
  t.match(log.at(-1), {
    secret: 'TLS_CERT_FILE',
    why: /^TLS_KEY_FILE: the path of the key of the certificate/,
  })
  t.match(await get({ port, ca: trusted }), { status: 200 }, 'the last good pair is kept')
  const [file] = app.config.secretFiles.filter(({ name }) => name === 'TLS_CERT_FILE')
  t.match(file, { isFileBad: true, badValues: 1 })
})

t.test('with TLS_CLIENT_CA_FILE only clients with a certificate get in', async (t) => {
  const client = selfSigned()
  const untrusted = selfSigned()
  const { own, environment } = files(t, client.cert)
  const { port, log, zendesk } = await startBoth(t, environment)
  await t.rejects(get({ port, ca: own.cert }), 'without a certificate')
  await t.rejects(get({ port, ca: own.cert, ...untrusted }), 'with a certificate of another authority')
  t.equal(zendesk.requests.length, 0)
  t.match(await get({ port, ca: own.cert, ...client }), { status: 200, body: /authenticity_token/ })
  const codes = log.filter(({ msg }) => msg === 'tls handshake failed').map(({ errorCode }) => errorCode)
  t.same(codes.sort(), ['DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'])
})

t.test("the image's health check works over http, https and mutual TLS", async (t) => {
  const mutual = files(t, selfSigned().cert)
  const services = [
    await startBoth(t),
    await startBoth(t, files(t).environment),
    await startBoth(t, mutual.environment),
  ]
  const checked = services.map(({ app, port }, index) =>
    healthCheck({ PORT: String(port), ...(index > 0 && { TLS_CERT_FILE: 'any' }), HOST: app.config.HOST }),
  )
  t.same(await Promise.all([...checked, healthCheck({ PORT: '1' })]), [0, 0, 0, 1])
})

t.test('an answer that nobody reads is given up over TLS, too', async (t) => {
  const { paths } = files(t)
  const sockets = new Sockets(10, 8, new CertificateFiles({ ...paths, clientCa: undefined }))
  const server = sockets.createServer((_request, response) => response.end(Buffer.alloc(32 * 1024 * 1024)))
  t.teardown(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const socket = connect({ port, rejectUnauthorized: false }).on('error', () => undefined)
  await once(socket, 'secureConnect')
  socket.pause().write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(server, 'request')
  await eventually(async () => (await connections(server)) === 0, 10_000)
  socket.destroy()
})

t.test('failed handshakes of one code are one line in ten seconds', (t) => {
  const lines: object[] = []
  let now = 0
  const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line) as object) })
  const failures = new HandshakeFailures(log, () => now)
  const failed = Object.assign(new Error('failed'), { code: 'ERR_SSL_NO_SHARED_CIPHER' })
  for (; now < 25_000; now += 100) failures.add(failed, undefined)
  t.match(lines, [{ count: 1 }, { count: 100 }, { count: 100 }])
  t.equal(lines.length, 3)
  failures.add(failed, 'CERT_HAS_EXPIRED')
  t.match(lines.at(-1), { errorCode: 'CERT_HAS_EXPIRED', count: 1 })
  t.end()
})

t.test('files that cannot be used are refused at the start', async (t) => {
  const { own, paths } = files(t)
  const other = folderWith(t, { key: selfSigned().key, empty: '', pem: own.cert.slice(0, 200) })
  const both = { TLS_CERT_FILE: paths.cert, TLS_KEY_FILE: paths.key }
  const cases: [NodeJS.ProcessEnv, RegExp][] = [
    [{ TLS_CERT_FILE: paths.cert }, /TLS_KEY_FILE: set: TLS_CERT_FILE and TLS_KEY_FILE go together/],
    [{ TLS_KEY_FILE: paths.key }, /TLS_CERT_FILE: set: /],
    [
      { TLS_CLIENT_CA_FILE: paths.cert },
      /TLS_CLIENT_CA_FILE: unset, or set with TLS_CERT_FILE and TLS_KEY_FILE/,
    ],
    [
      { ...both, TLS_KEY_FILE: join(other, 'key') },
      /TLS_KEY_FILE: the path of the key of the certificate in/,
    ],
    [
      { ...both, TLS_KEY_FILE: paths.cert },
      /TLS_KEY_FILE: the path of a PEM file with an unencrypted private key/,
    ],
    [{ ...both, TLS_CERT_FILE: paths.key }, /TLS_CERT_FILE: the path of a PEM file with certificates/],
    [
      { ...both, TLS_CERT_FILE: join(other, 'pem') },
      /TLS_CERT_FILE: the path of a PEM file with certificates/,
    ],
    [
      { ...both, TLS_CERT_FILE: join(other, 'none') },
      /TLS_CERT_FILE: the path of a file that can be read \(ENOENT\)/,
    ],
    [
      { ...both, TLS_CLIENT_CA_FILE: join(other, 'empty') },
      /TLS_CLIENT_CA_FILE: the path of a PEM file with certificates/,
    ],
  ]
  const enough = { ZENDESK_SUBDOMAIN: 'acme', ZENDESK_OAUTH_TOKEN: 'fake-token' }
  for (const [environment, line] of cases) {
    const error: unknown = await readConfig({ ...enough, ...environment }).catch((error: unknown) => error)
    t.ok(error instanceof ConfigError, String(line))
    t.match(String(error), line)
  }
  const expired = selfSigned({ days: -3 })
  replace(paths.cert, expired.cert)
  replace(paths.key, expired.key)
  t.match((await readConfig({ ...enough, ...both }, 'v24.0.0')).warnings, [
    'TLS_CERT_FILE: the certificate has expired',
  ])
})

/** A pair of files, and the environment that names them. */
function files(t: Test, clientCa?: string) {
  const own = selfSigned()
  const folder = folderWith(t, {
    'tls.crt': own.cert,
    'tls.key': own.key,
    ...(clientCa !== undefined && { 'ca.crt': clientCa }),
  })
  const paths = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
  const environment: NodeJS.ProcessEnv = {
    TLS_CERT_FILE: paths.cert,
    TLS_KEY_FILE: paths.key,
    ...(clientCa !== undefined && { TLS_CLIENT_CA_FILE: join(folder, 'ca.crt') }),
  }
  return { own, paths, environment }
}

function folderWith(t: Test, contents: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true })
  })
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(folder, name), content)
  return folder
}

function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content)
  renameSync(`${path}.new`, path)
}

function get(
  options: ConnectionOptions & { port: number; agent?: Agent },
  headers: Record<string, string> = {},
) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    request({ host: '127.0.0.1', path: '/session/renew', agent: false, ...options, headers }, (response) => {
      text(response).then((body) => {
        resolve({ status: response.statusCode ?? 0, body })
      }, reject)
    })
      .on('error', reject)
      .end()
  })
}

/** Bytes over TLS, and what comes back until the other side closes. */
async function say(options: ConnectionOptions, bytes: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', ...options }).on('error', () => undefined)
  socket.write(bytes)
  return text(socket).catch(() => '')
}

async function certificateOf(port: number): Promise<string> {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { fingerprint256 } = socket.getPeerX509Certificate() ?? {}
  socket.destroy()
  return fingerprint256 ?? ''
}

function fingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256
}

function connections(server: {
  getConnections(done: (error: Error | null, count: number) => void): unknown
}) {
  return new Promise<number>((resolve) => {
    server.getConnections((_error, count) => {
      resolve(count)
    })
  })
}

async function healthCheck(environment: NodeJS.ProcessEnv): Promise<number | null> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/health-check.ts'], { env: environment })
  const [code] = (await once(child, 'close')) as [number | null]
  return code
}
