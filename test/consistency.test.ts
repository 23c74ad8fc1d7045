import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { FastifyInstance } from 'fastify'
import type { OpenAPIV3_1 } from 'openapi-types'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { catalogue, type ProblemCode } from '../src/problems/catalogue.js'
import { Problem } from '../src/problems/problem.js'
import { secretNames, variables } from '../src/config/variables.js'
import { ask, startBoth } from './support/helper.js'

const file = (name: string) => readFile(name, 'utf8')
const contract = parse(await file('openapi.yaml')) as OpenAPIV3_1.Document
const codes = Object.keys(catalogue).sort()

t.test('contract and catalogue know the same problems by the same words', (t) => {
  t.same([...(contract.components?.schemas?.['ProblemCode']?.enum as string[])].sort(), codes)
  const examples = objectsIn(contract.components?.examples ?? {}).filter(isProblem)
  t.same([...new Set(examples.map(({ code }) => code))].sort(), codes, 'each has an example')
  for (const { type, code, status, title, detail } of examples) {
    t.equal(type, `/problems/${code}`)
    t.same({ title, detail }, { title: catalogue[code].title, detail: catalogue[code].detail }, code)
    const statuses: number[] = code === 'request-too-large' ? [413, 414, 431] : [catalogue[code].status]
    t.ok(statuses.includes(Number(status)), `${code}: ${String(status)}`)
  }
  const explained = objectsIn(contract.paths ?? {}).filter(
    (each) => 'meaning' in each && isCode(each['code']),
  )
  t.ok(explained.length > 0)
  for (const { type, code, ...texts } of explained) {
    t.equal(type, `/problems/${String(code)}`)
    const { title, status, retry, meaning, caller, operator } = catalogue[code as ProblemCode]
    t.same(texts, { title, status, retry, meaning, caller, operator }, String(code))
  }
  t.end()
})

t.test('each problem of Zendesk has its place in one alert, and outages share one', async (t) => {
  const { groups } = parse(await file('deploy/prometheus/alerts.yml')) as {
    groups: { rules: { alert: string; expr: string }[] }[]
  }
  // Of rejected credentials the metric tells the state, since a single call with an old token is not worth a page.
  const named = (code: string) =>
    code === 'zendesk-credentials-rejected' ? 'credentials_state{state="rejected"}' : code
  const alertsOf = (code: string) =>
    groups.flatMap(({ rules }) => rules.filter(({ expr }) => expr.includes(named(code))))
  const outages = new Set<string | undefined>()
  for (const code of codes.filter(isCode).filter((code) => code.startsWith('zendesk-'))) {
    const alerts = alertsOf(code).map(({ alert }) => alert)
    t.equal(alerts.length, 1, `${code}: ${alerts.join(', ')}`)
    if (new Problem(code).isOutage) outages.add(alerts[0])
  }
  t.equal(outages.size, 1)
})

t.test('contract and routes know the same operations', async (t) => {
  const { app } = await startBoth(t)
  const promised = operations().map(({ method, path }) => `${method} ${path}`)
  const served = registered(app).filter((route) => !/ \/docs\//.test(route))
  t.same(served.sort(), promised.sort())
})

t.test('without DOCS there are no routes for them', async (t) => {
  const { app } = await startBoth(t, { DOCS: 'false' })
  const promised = operations().filter(({ tags }) => !tags?.includes('Documentation'))
  t.same(registered(app).sort(), promised.map(({ method, path }) => `${method} ${path}`).sort())
})

t.test('the contract that is served is the one in the file', async (t) => {
  const { url } = await startBoth(t)
  t.same((await ask(`${url}/openapi.json`)).body, contract)
  t.equal((await ask(`${url}/openapi.yaml`)).text, await file('openapi.yaml'))
  const { version } = JSON.parse(await file('package.json')) as { version: string }
  t.equal(contract.info.version, version)
})

t.test('successes are as the contract says', async (t) => {
  const { url } = await startBoth(t)
  for (const { method, path } of operations()) {
    const answer = await ask(url + path.replace('{code}', 'not-found'), { method })
    t.ok(answer.status < 400, `${method} ${path}`)
    keepsPromise(t, method, path, answer)
  }
  const page = await ask(`${url}/problems`, { headers: { accept: 'text/html' } })
  keepsPromise(t, 'GET', '/problems', page)
})

t.test('problems are as the contract says', async (t) => {
  const keyed = await startBoth(t, { CALLER_KEYS: `shop:${'0'.repeat(64)}` })
  const { url, zendesk, app } = await startBoth(t)
  const renewal = '/session/renew'
  const zendeskSays = async (status: number, headers: Record<string, string> = {}) => {
    zendesk.misbehave({ kind: 'status', status, headers })
    return ask(url + renewal)
  }
  keepsPromise(t, 'GET', renewal, await ask(keyed.url + renewal), 401)
  keepsPromise(
    t,
    'GET',
    renewal,
    await ask(url + renewal, { headers: { origin: 'https://evil.example' } }),
    403,
  )
  keepsPromise(t, 'GET', renewal, await ask(url + renewal, { method: 'PUT' }), 405)
  keepsPromise(t, 'POST', renewal, await ask(url + renewal, { method: 'POST', body: 'a'.repeat(2000) }), 413)
  keepsPromise(t, 'GET', renewal, await ask(`${url}${renewal}?${'a'.repeat(8000)}`), 414)
  keepsPromise(t, 'GET', renewal, await ask(url + renewal, { headers: { a: 'a'.repeat(20_000) } }), 431)
  keepsPromise(t, 'GET', renewal, await zendeskSays(403), 502)
  keepsPromise(t, 'GET', renewal, await zendeskSays(503, { 'Retry-After': '30' }), 503)
  keepsPromise(t, 'GET', renewal, await zendeskSays(408), 504)
  keepsPromise(t, 'GET', renewal, await zendeskSays(429), 429)
  keepsPromise(t, 'GET', '/problems/{code}', await ask(`${url}/problems/nothing`), 404)
  const browser = { accept: 'text/html' }
  keepsPromise(t, 'GET', '/problems/{code}', await ask(`${url}/problems/nothing`, { headers: browser }), 404)
  await app.lifecycle.drain(0)
  keepsPromise(t, 'GET', '/readyz', await ask(`${url}/readyz`), 503)
})

t.test('.env.example holds every variable with its default', async (t) => {
  const lines = (await file('.env.example')).matchAll(/^#?([A-Z][A-Z0-9_]*)=(.*)$/gm)
  const written = [...lines].map(([, name = '', value = '']) => [name, value])
  const files = secretNames.map((name) => [`${name}_FILE`, ''])
  t.same(Object.fromEntries(written), Object.fromEntries([...documented(), ...files]))
  t.equal(new Set(written.map(([name]) => name)).size, written.length, 'none twice')
})

t.test("README's table holds every variable with its default", async (t) => {
  const rows = (await file('README.md')).matchAll(/^\| *((?:`[A-Z][A-Z0-9_]*`[ ,]*)+)\|([^|]*)\|/gm)
  const written = [...rows].flatMap(([, names = '', defaults = '']) => {
    const values = quoted(defaults)
    return quoted(names).map((name, index) => [name, values[index] ?? ''])
  })
  t.same(Object.fromEntries(written), Object.fromEntries(documented()))
  t.equal(new Set(written.map(([name]) => name)).size, written.length, 'none twice')
})

t.test("README's problem is a real one", async (t) => {
  const blocks = (await file('README.md')).matchAll(/^```json\n(.*?)^```/gms)
  const problems = [...blocks].map(([, json = '']) => JSON.parse(json) as Json).filter(isProblem)
  t.ok(problems.length > 0)
  for (const { code, title, detail, status } of problems)
    t.hasStrict(catalogue[code], { title, detail, status }, code)
})

type Json = Record<string, unknown>
type Answer = Awaited<ReturnType<typeof ask>>

/** All variables with their default as text. Those of Node and its libraries are left out: they are only checked. */
t.test('each message that docs/operating.md explains is one that the service logs', async (t) => {
  const section = /^## Reading the log$([^]*?)^## /m.exec(await file('docs/operating.md'))?.[1] ?? ''
  const [, , events = ''] = section.split(/^\|---.*$/m)
  const messages = events.split('\n').flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)])
  t.ok(messages.length > 20)
  const code = (await sources()).join('\n')
  for (const [, message = ''] of messages) {
    const known = message.replace(/:? ?…$/, '')
    t.ok(code.includes(known) || known === 'Server listening at', message)
  }
})

async function sources(): Promise<string[]> {
  const folders = ['src', 'plugins', 'routes']
  const names = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(folder, { recursive: true })).map((name) => join(folder, name)),
    ),
  )
  return Promise.all(
    names
      .flat()
      .filter((name) => name.endsWith('.ts'))
      .map(file),
  )
}

function documented(): [name: string, fallback: string][] {
  return Object.entries(variables)
    .filter(([name]) => !/^(NODE_|DEBUG$)/.test(name))
    .map(([name, schema]) => [name, 'default' in schema ? String(schema.default) : ''])
}

function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`]*)`/g)].map(([, word = '']) => word)
}

function objectsIn(value: unknown): Json[] {
  if (typeof value !== 'object' || value === null) return []
  return [value as Json, ...Object.values(value).flatMap(objectsIn)]
}

function isProblem(value: Json): value is Json & { code: ProblemCode } {
  return 'detail' in value && isCode(value['code'])
}

function isCode(code: unknown): code is ProblemCode {
  return typeof code === 'string' && codes.includes(code)
}

function operations() {
  return Object.entries(contract.paths ?? {}).flatMap(([path, item]) =>
    (['get', 'post', 'put', 'patch', 'delete'] as const).flatMap((method) => {
      const operation = item?.[method]
      return operation ? [{ ...operation, method: method.toUpperCase(), path }] : []
    }),
  )
}

/** Method and path of each route, from the tree that Fastify prints; without HEAD and OPTIONS. */
function registered(app: FastifyInstance): string[] {
  const above: string[] = []
  const lines = app.printRoutes({ commonPrefix: false }).matchAll(/^([│ ]*)[├└]── (\S+)(?: \((.*)\))?$/gm)
  return [...lines].flatMap(([, indent = '', part = '', methods = '']) => {
    above.splice(indent.length / 4, Infinity, part)
    const path = above.join('').replace(/:(\w+)/g, '{$1}')
    const names = methods.split(', ').filter((name) => !['', 'HEAD', 'OPTIONS'].includes(name))
    return names.map((name) => `${name} ${path}`)
  })
}

const ajv = new Ajv2020({ allErrors: true, keywords: ['components', 'example'] })
ajv.addFormat('uri-reference', (value) => URL.canParse(value, 'http://localhost'))
ajv.addSchema({ $id: 'openapi', components: contract.components })

/** What HTTP needs anyway, or a browser reads for itself. */
const UNTOLD =
  /^(content-(type|length|encoding|security-policy)|date|connection|keep-alive|transfer-encoding|vary)$/

/** Asserts that the contract has this answer: its status, its content type, its headers and its body. */
function keepsPromise(t: Test, method: string, path: string, answer: Answer, status = answer.status) {
  const name = `${method} ${path} ${status}`
  t.equal(answer.status, status, name)
  const operation = operations().find((each) => each.method === method && each.path === path)
  const response = resolve(operation?.responses[status]) as OpenAPIV3_1.ResponseObject | undefined
  if (!response) return void t.fail(`${name} is not in the contract`)

  for (const [header, object] of Object.entries(response.headers ?? {})) {
    const { required, schema } = resolve(object) as OpenAPIV3_1.HeaderObject
    const value = answer.headers.get(header)
    t.ok(value !== null || !required, `${name}: ${header} is there`)
    if (value !== null) isValid(t, schema, /^\d+$/.test(value) ? Number(value) : value, `${name}: ${header}`)
  }
  const told = [...answer.headers.keys()].filter((header) => !UNTOLD.test(header))
  const unknown = told.filter((header) => !Object.hasOwn(response.headers ?? {}, header))
  t.same(unknown, [], `${name}: every header is in the contract`)

  const type = answer.headers.get('content-type')?.split(';')[0] ?? ''
  const content = response.content?.[type]
  t.ok(content ?? !response.content, `${name}: ${type}`)
  if (content) isValid(t, content.schema, answer.body ?? answer.text, `${name}: body`)
}

function isValid(t: Test, schema: unknown, value: unknown, name: string) {
  const validate = ajv.compile(fromRoot(schema))
  t.ok(validate(value), name, { errors: validate.errors })
}

/** The schema, its references leading into the whole contract. */
function fromRoot(schema: unknown): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/')) as object
}

function resolve(object: unknown): unknown {
  const reference = (object as { $ref?: string } | undefined)?.$ref
  if (reference === undefined) return object
  const [, ...path] = reference.split('/')
  return path.reduce<unknown>((value, key) => (value as Json)[key], contract)
}
