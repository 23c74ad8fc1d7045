import { readdir, readFile, readlink } from 'node:fs/promises'
import { connect } from 'node:net'
import t from 'tap'
import { parse } from 'yaml'
import { ask, speak, startBoth } from './support/helper.js'

const contract: unknown = parse(await readFile('openapi.yaml', 'utf8'))

t.test('the contract is there as JSON and as YAML, and is what the page shows', async (t) => {
  const { url } = await startBoth(t)
  t.match(await ask(`${url}/`), { status: 302, headers: new Map([['location', '/docs']]) })
  const json = await ask(`${url}/openapi.json`)
  t.equal(json.headers.get('content-type'), 'application/json; charset=utf-8')
  t.same(json.body, contract)
  const yaml = await ask(`${url}/openapi.yaml`)
  t.equal(yaml.headers.get('content-type'), 'application/yaml')
  t.same(parse(yaml.text), contract)
})

t.test('the page may use nothing but its own files, and other answers are not told so', async (t) => {
  const { url } = await startBoth(t)
  const page = await ask(`${url}/docs`)
  t.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
  const policy = page.headers.get('content-security-policy') ?? ''
  t.match(policy, "default-src 'none'")
  t.match(policy, "script-src 'self';")
  t.match(policy, /style-src 'self'$/)
  t.match(policy, "frame-ancestors 'none'")
  t.notMatch(policy, /unsafe|sha256|https?:|\*|upgrade-insecure-requests/)
  t.equal(page.headers.get('set-cookie'), null)
  for (const path of ['/openapi.json', '/openapi.yaml', '/livez', '/session/renew', '/no-such-page'])
    t.equal((await ask(url + path)).headers.get('content-security-policy'), null, path)
})

t.test('nothing that stands in the address comes back in the page', async (t) => {
  const { url } = await startBoth(t)
  const evil = '<script>alert(1)</script>'
  const page = await ask(`${url}/docs`)
  const query = `?x=${evil}&url=https://evil.example/spec.json`
  t.equal((await ask(`${url}/docs${query}`)).text, page.text)
  for (const path of ['/', '/docs/'])
    t.match(await ask(url + path + query), { status: 302, headers: new Map([['location', '/docs']]) })
  for (const path of [`/docs/${evil}`, `/docs/static/${evil}`]) {
    const answer = await ask(url + path)
    t.match(answer.body, { status: 404, code: 'not-found' }, path)
    t.notMatch(answer.text, /alert|evil/)
  }
})

t.test('no file is served but those of the page', async (t) => {
  const { port } = await startBoth(t)
  for (const path of [
    '/docs/static/../package.json',
    '/docs/static/%2e%2e/package.json',
    '/docs/static/..%2fpackage.json',
  ]) {
    // Over a bare socket, because fetch would tidy the path up.
    const answer = await speak(port, `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
    t.match(answer, /^HTTP\/1\.1 40[04] /, path)
    t.match(answer, 'content-type: application/problem+json')
  }
})

t.test(
  'the files of the page are kept for a year under the address that the page has for them',
  async (t) => {
    const { url, log } = await startBoth(t)
    const page = await ask(`${url}/docs`)
    const links = [...page.text.matchAll(/(?:href|src)="(docs\/static\/[^"]+)"/g)].map(
      ([, link = '']) => link,
    )
    t.same(
      links.map((link) => link.replace(/\?v=[\w-]{16}$/, '')).sort(),
      ['docs.css', 'docs.js', 'swagger-ui-bundle.js', 'swagger-ui.css'].map((name) => `docs/static/${name}`),
    )
    for (const link of links) {
      const address = new URL(link, `${url}/docs`)
      const file = await ask(address.href)
      t.equal(file.headers.get('cache-control'), 'public, max-age=31536000, immutable', link)
      t.match(file.headers.get('content-type'), /^text\/(css|javascript); charset=utf-8$/)
      t.equal(file.headers.get('content-encoding'), 'gzip')
      t.equal(file.headers.get('vary'), 'accept-encoding')
      const plain = await ask(address.href, { headers: { 'accept-encoding': 'identity' } })
      t.equal(plain.headers.get('content-encoding'), null)
      t.equal(plain.text, file.text)

      for (const query of ['', '?v=of-another-version', '?v=a&v=b']) {
        const other = await ask(url + address.pathname + query)
        t.equal(other.headers.get('cache-control'), 'no-cache', `${address.pathname}${query}`)
        t.equal(other.text, file.text)
      }
      const etag = file.headers.get('etag') ?? ''
      t.match(etag, /^W\/"[\w-]{16}"$/)
      for (const known of [etag, etag.slice(2), `"other", ${etag}`, '*']) {
        const same = await ask(url + address.pathname, { headers: { 'if-none-match': known } })
        t.equal(same.status, 304, known)
        t.equal(same.text, '')
        t.equal(same.headers.get('etag'), etag)
      }
      const changed = await ask(url + address.pathname, { headers: { 'if-none-match': '"other"' } })
      t.equal(changed.status, 200)
    }
    const lines = log.filter(({ route }) => String(route).startsWith('/docs/static/'))
    t.ok(lines.length > 0 && lines.every(({ level }) => level === 20), 'logged at debug')
  },
)

t.test('the contract is compressed where that is accepted', async (t) => {
  const { url } = await startBoth(t, { CORS_ORIGINS: 'https://app.example.test' })
  for (const path of ['/openapi.json', '/openapi.yaml', '/docs']) {
    const headers = { origin: 'https://app.example.test' }
    const file = await ask(url + path, { headers })
    t.equal(file.headers.get('content-encoding'), 'gzip')
    t.equal(file.headers.get('cache-control'), 'no-store')
    t.equal(file.headers.get('vary'), 'Origin, accept-encoding')
    const plain = await ask(url + path, { headers: { ...headers, 'accept-encoding': 'gzip;q=0' } })
    t.equal(plain.headers.get('content-encoding'), null)
    t.equal(plain.text, file.text)
  }
})

t.test(
  'clients that pipeline the files of the page and do not read hold no file open',
  { skip: process.platform !== 'linux' && 'there is no /proc/self/fd' },
  async (t) => {
    const { url, port } = await startBoth(t)
    const path = '/docs/static/swagger-ui-bundle.js'
    t.equal((await ask(url + path)).status, 200)
    for (let client = 0; client < 10; client++)
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`.repeat(100))
        })
        t.teardown(() => socket.resetAndDestroy())
        socket.on('error', () => undefined)
        socket.once('readable', () => {
          resolve()
        })
      })
    const open = await Promise.all(
      (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
    )
    t.same(
      open.filter((name) => name.includes('swagger-ui')),
      [],
    )
  },
)

t.test('with DOCS=false neither the page nor the contract is there', async (t) => {
  const { url } = await startBoth(t, { DOCS: 'false' })
  for (const path of ['/', '/docs', '/docs/', '/docs/json', '/openapi.json', '/openapi.yaml']) {
    const answer = await ask(url + path)
    t.match(answer.body, { status: 404, code: 'not-found' }, path)
    t.equal(answer.headers.get('content-type'), 'application/problem+json')
  }
  t.equal((await ask(`${url}/session/renew`)).status, 200)
})
