import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { keyDigest, makeKey, ownerOfKey } from '../src/callers/keys.js'
import { readConfig } from '../src/config/read.js'
import { compiled } from './support/compiled.js'
import { basic, bearer, entry, eventually, renew } from './support/credentials.js'
import { ask, speak, startBoth } from './support/helper.js'

const ZENDESK = { ZENDESK_SUBDOMAIN: 'acme', ZENDESK_OAUTH_TOKEN: 'fake-bearer-token' }
const ZENDESK_PATH = '/api/v2/users/me/session/renew'
const PATHS = ['/session/renew', ZENDESK_PATH, `${ZENDESK_PATH}.json`]

t.test('a key opens the door as bearer, and as the password that belongs to its name', async (t) => {
  const key = makeKey()
  const { url, zendesk, log } = await startBoth(t, { CALLER_KEYS: entry('billing', key) })
  for (const path of PATHS) {
    for (const authorization of [
      bearer(key),
      `bearer   ${key} `,
      basic('billing', key),
      basic('billing/token', key),
    ]) {
      const answer = await ask(url + path, { headers: { authorization } })
      t.equal(answer.status, 200, `${path} with ${authorization.slice(0, 6)}`)
    }
  }
  t.equal(zendesk.renewals().length, 12)
  const lines = log.filter(({ msg }) => msg === 'request')
  t.equal(lines.length, 12)
  t.ok(
    lines.every(({ caller, callerKey }) => caller === 'billing' && callerKey === keyDigest(key).slice(0, 8)),
  )
  const head = await ask(`${url}${ZENDESK_PATH}.json`, { method: 'HEAD' })
  t.equal(head.status, 405)
  t.notOk(zendesk.requests.some(({ rawHeaders }) => rawHeaders.some((value) => value.includes(key))))
})

t.test('an empty key never fits, and the digest of nothing is refused', async (t) => {
  for (const nothing of ['', '\n', '\r\n', ' ', '\t', '""']) {
    const environment = { ...ZENDESK, CALLER_KEYS: `shop:${keyDigest('a')},billing:${keyDigest(nothing)}` }
    await t.rejects(
      readConfig(environment),
      { message: /CALLER_KEYS: .*digest of a key, not of an empty text.*entry 2/ },
      JSON.stringify(nothing),
    )
    const keys = [{ caller: { name: 'billing' }, digest: createHash('sha256').update(nothing).digest() }]
    if (nothing.trim() === '') t.equal(ownerOfKey({ scheme: 'bearer', value: nothing }, keys), undefined)
  }
})

t.test('a key pasted in clear is recognised, and the message says what to put instead', async (t) => {
  const key = makeKey()
  for (const text of [key, `billing:${key}`]) {
    const refused = await readConfig({ ...ZENDESK, CALLER_KEYS: text }).then(
      () => '',
      (error: unknown) => String(error),
    )
    t.match(refused, /CALLER_KEYS: .*digest of each key instead of the key itself.*entry 1.*sha256sum/)
    t.notOk(refused.includes(key), 'without repeating the key')
  }
})

t.test('one name may have two keys while one is replaced by the other', async (t) => {
  const keys = [makeKey(), makeKey()]
  const { url } = await startBoth(t, { CALLER_KEYS: keys.map((key) => entry('billing', key)).join('\n') })
  for (const key of keys) t.equal((await renew(url, basic('billing', key))).status, 200)
})

t.test('every wrong caller hears the same, and Zendesk hears nothing', async (t) => {
  const [key, other] = [makeKey(), makeKey()]
  const { url, port, zendesk, log } = await startBoth(t, {
    CALLER_KEYS: `${entry('billing', key)},${entry('shop', other)}`,
    TRUST_PROXY: '127.0.0.1/32',
  })
  const wrong: Record<string, string> = {
    'an unknown key': bearer(makeKey()),
    'a truncated key': bearer(key.slice(0, -1)),
    'a key in upper case': bearer(key.toUpperCase()),
    'a key with something after it': bearer(`${key}=`),
    'the digest instead of the key': bearer(keyDigest(key)),
    'the name and an unknown key': basic('billing', makeKey()),
    'the key under the name of another': basic('billing', other),
    'the key under a name in other case': basic('Billing', key),
    'the key under no name': basic('', key),
    'the key under nothing but /token': basic('/token', key),
    'the key under a name with /token twice': basic('billing/token/token', key),
    'a name without a key': basic('billing', ''),
    'Basic without a colon': `Basic ${Buffer.from(key).toString('base64')}`,
    'Basic that is not base64': 'Basic %%%%',
    'no scheme': key,
    'another scheme': `Digest ${key}`,
    'a scheme with commas in it': 'Digest username="billing", realm="x", response="y"',
    'a scheme alone': 'Bearer',
    'two words': `Bearer ${key} ${key}`,
    'a name from the prototype': basic('__proto__', 'constructor'),
    'something like a JWT, although no issuer is configured': bearer('eyJhbGciOiJub25lIn0.e30.'),
  }
  const told = new Set<string>()
  for (const [index, [what, authorization]] of Object.entries(wrong).entries()) {
    // Each from its own address, or the limit of failed attempts would speak first.
    const headers = { authorization, 'x-forwarded-for': `192.0.2.${index}`, 'x-request-id': 'same' }
    const answer = await ask(`${url}/session/renew`, { headers })
    t.equal(answer.status, 401, what)
    t.match(log.at(-1)?.['reason'], /^(unknown-key|unreadable-credential)$/)
    told.add(answer.text + String(answer.headers.get('www-authenticate')))
  }
  t.equal(told.size, 1, 'they cannot be told apart')
  t.match([...told][0], /"code":"caller-not-authenticated".*error="invalid_token"$/)

  const none = await ask(`${url}/session/renew`, { headers: { 'x-request-id': 'same' } })
  t.equal(none.status, 401)
  t.equal(none.headers.get('www-authenticate'), 'Bearer realm="zendesk-session-proxy"')
  t.equal(none.body?.['code'], 'caller-not-authenticated')

  const twice = [`authorization: ${bearer(key)}\r\nAuthorization: ${basic('billing', key)}`]
  twice.push(`authorization: ${bearer(key)}, ${basic('billing', key)}`)
  for (const lines of twice) {
    const said = await speak(
      port,
      `GET /session/renew HTTP/1.1\r\nhost: a\r\n${lines}\r\nconnection: close\r\n\r\n`,
    )
    t.match(said, /^HTTP\/1.1 400 [^]*"code":"malformed-request"/)
  }
  t.equal(zendesk.requests.length, 0)
})

t.test('a removed key stops working within a second, and a bad file changes nothing', async (t) => {
  const [kept, removed, added] = [makeKey(), makeKey(), makeKey()]
  const path = join(t.testdir(), 'keys')
  replace(path, `${entry('kept', kept)}\n${entry('removed', removed)}\n`)
  const { url, log } = await startBoth(t, { CALLER_KEYS_FILE: path })
  t.equal((await renew(url, bearer(removed))).status, 200)

  replace(path, `${entry('kept', kept)}\n${entry('added', added)}\n`)
  await eventually(async () => (await renew(url, bearer(removed))).status === 401, 1000)
  t.equal((await renew(url, bearer(kept))).status, 200)
  t.equal((await renew(url, bearer(added))).status, 200)

  replace(path, added)
  await eventually(() => log.some(({ level }) => level === 50), 1000)
  t.equal((await renew(url, bearer(added))).status, 200)
  t.notOk(JSON.stringify(log).includes(added), 'the key that stood there in clear is not logged')
})

t.test('without keys, only those who address this machine by a name of its own are served', async (t) => {
  const { url, port, zendesk } = await startBoth(t)
  t.equal((await ask(`${url}/session/renew`)).status, 200)
  for (const host of [
    'attacker.example',
    '127.0.0.1.attacker.example',
    'localhost.attacker.example',
    '10.0.0.1',
  ]) {
    const lines = `GET /session/renew HTTP/1.1\r\nhost: ${host}:${port}\r\nx-forwarded-host: localhost\r\nconnection: close\r\n\r\n`
    t.match(await speak(port, lines), /^HTTP\/1.1 403 [^]*"code":"origin-not-allowed"/, host)
  }
  t.equal(zendesk.renewals().length, 1)
})

t.test('neither a key nor the token handed out appears anywhere else', async (t) => {
  const key = makeKey()
  const { url, log, app } = await startBoth(t, { CALLER_KEYS: entry('billing', key) })
  const secrets = [key]
  const elsewhere: string[] = []
  const answer = await renew(url, bearer(key))
  secrets.push(String(answer.body?.['authenticity_token']))
  const attempts = [bearer(`${key}x`), `Digest ${key}`, basic(key, key), `${bearer(key)}, ${bearer(key)}`]
  for (const authorization of attempts) elsewhere.push(await describe(renew(url, authorization)))
  elsewhere.push(await describe(ask(`${url}/session/renew?key=${key}`)))
  elsewhere.push(
    await describe(ask(`${url}/${key}`, { method: 'PUT', headers: { 'x-request-id': `${key}!` } })),
  )
  elsewhere.push(await describe(ask(`${url}/readyz`, { headers: { authorization: bearer(key) } })))
  elsewhere.push(JSON.stringify(log), JSON.stringify(app.config))
  t.ok(log.length > attempts.length)
  for (const secret of secrets) {
    for (const form of [
      secret,
      Buffer.from(secret).toString('base64').slice(0, 40),
      encodeURIComponent(secret),
    ]) {
      t.notOk(elsewhere.some((text) => text.includes(form)))
    }
  }
})

t.test('keygen makes a key once, and the entry that lets it in', async (t) => {
  const made = await keygen('billing')
  const [, key = ''] = /^ {2}(zsp_\S+)$/m.exec(made.stdout) ?? []
  const [, configured = ''] = /^ {2}(billing:\S+)$/m.exec(made.stdout) ?? []
  t.match(key, /^zsp_[\w-]{49}$/)
  const checksum = createHash('sha256').update(key.slice(0, -6)).digest('base64url').slice(0, 6)
  t.equal(key.slice(-6), checksum, 'a typo can be told')
  const { url } = await startBoth(t, { CALLER_KEYS: configured })
  t.equal((await renew(url, basic('billing', key))).status, 200)
  t.notOk((await keygen('billing')).stdout.includes(key), 'another each time')
  await t.rejects(keygen('not a name'), {
    code: 1,
    stdout: '',
    stderr: /Usage: zendesk-session-proxy keygen NAME/,
  })
  await t.rejects(keygen(), { code: 1, stdout: '' })
  await t.rejects(keygen('--name'), { code: 1, stdout: '', stderr: /Usage/ })
  for (const option of ['--help', '-h'])
    t.match(await keygen(option), { stdout: /^Usage: zendesk-session-proxy keygen NAME\n/, stderr: '' })
})

function keygen(...names: string[]) {
  return promisify(execFile)(process.execPath, [compiled('src/start.js'), 'keygen', ...names], {
    env: { PATH: process.env['PATH'] },
  })
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

async function describe(answer: ReturnType<typeof ask>): Promise<string> {
  const { status, headers, text } = await answer
  return `${status} ${JSON.stringify([...headers])} ${text}`
}
