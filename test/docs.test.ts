import { readFile } from 'node:fs/promises'
import t from 'tap'
import { parse } from 'yaml'
import { ask, speak, startBoth } from './support/helper.js'

const contract: unknown = parse(await readFile(new URL('../openapi.yaml', import.meta.url), 'utf8'))

t.test('the contract is there as JSON and as YAML, and is what the page shows', async (t) => {
  const { url } = await startBoth(t)
  t.match(await ask(`${url}/`), { status: 302, headers: new Map([['location', '/docs']]) })
  const json = await ask(`${url}/openapi.json`)
  t.equal(json.headers.get('content-type'), 'application/json; charset=utf-8')
  t.same(json.body, contract)
  const yaml = await ask(`${url}/openapi.yaml`)
  t.equal(yaml.headers.get('content-type'), 'application/yaml')
  t.same(parse(yaml.text), contract)
  t.same((await ask(`${url}/docs/json`)).body, contract)
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
  for (const path of ['/docs', '/docs/']) {
    const answer = await ask(`${url}${path}?x=${evil}&url=https://evil.example/spec.json`)
    t.equal(answer.status, 302)
    t.equal(answer.headers.get('location'), '/docs')
    t.notMatch(answer.text, 'script')
  }
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

t.test('with DOCS=false neither the page nor the contract is there', async (t) => {
  const { url } = await startBoth(t, { DOCS: 'false' })
  for (const path of ['/', '/docs', '/docs/', '/docs/json', '/openapi.json', '/openapi.yaml']) {
    const answer = await ask(url + path)
    t.match(answer.body, { status: 404, code: 'not-found' }, path)
    t.equal(answer.headers.get('content-type'), 'application/problem+json')
  }
  t.equal((await ask(`${url}/session/renew`)).status, 200)
})
