import { execFile } from 'node:child_process'
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { makeKey } from '../src/callers/keys.js'
import { bearer, entry, renew } from './support/credentials.js'
import { ask, startBoth } from './support/helper.js'
import { publicAddress, startNginx } from './support/nginx.js'
import { toolOrSkip } from './support/tools.js'

const TOKEN = /^[\w-]{86}$/
const run = promisify(execFile)

// They mostly wait for other programs.
t.jobs = 3

t.test('the Postman item of Zendesk works with another host, user and password', async (t) => {
  const { url, key, zendesk } = await startWithKey(t)
  const item = JSON.parse(readFileSync('test/fixtures/postman-renew.json', 'utf8')) as object
  const folder = t.testdir({
    'collection.json': JSON.stringify({
      info: { name: 'seed', schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json' },
      auth: {
        type: 'basic',
        basic: [
          { key: 'username', value: '{{user}}', type: 'string' },
          { key: 'password', value: '{{password}}', type: 'string' },
        ],
      },
      item: [item],
    }),
  })
  const [execution, ...others] = await newman(folder, { baseUrl: url, user: 'billing', password: key })
  t.same(others, [])
  t.equal(execution?.response.code, 200)
  const body = Buffer.from(execution?.response.stream.data ?? []).toString()
  t.match(JSON.parse(body), { authenticity_token: TOKEN })
  t.equal(zendesk.renewals().length, 1)
})

t.test("the seed's curl line works with another host, login and password", async (t) => {
  const { url, key } = await startWithKey(t)
  const { stdout } = await run('curl', [
    ...['-u', `billing:${key}`, '-X', 'GET', '-H', 'Accept: application/json'],
    `${url}/api/v2/users/me/session/renew`,
  ])
  t.match(JSON.parse(stdout), { authenticity_token: TOKEN })
})

t.test('what docs/calling.md shows does what it says', async (t) => {
  const { url, key, zendesk } = await startWithKey(t)
  const env = { PATH: process.env['PATH'], SERVICE: url, KEY: key, NAME: 'billing' }
  const [bearer = '', basic = ''] = examples('sh')
  for (const line of [bearer, basic])
    t.match(JSON.parse((await run('sh', ['-c', line], { env })).stdout), { authenticity_token: TOKEN })

  const [program = '', heart = ''] = examples('js')
  const answer = await run(process.execPath, ['--input-type=module', '-e', program], { env })
  t.match(answer.stdout.trim(), TOKEN)
  const wrong = run(process.execPath, ['--input-type=module', '-e', program], { env: { ...env, KEY: 'x' } })
  t.match((await failureOf(wrong)).stderr, /caller-not-authenticated: Send a valid key/)
  t.equal(zendesk.renewals().length, 3)

  const page = readFileSync('examples/browser/renew-session.js', 'utf8')
  const statements = heart.split('\n').filter((line) => !line.includes('authorization'))
  for (const line of statements) t.ok(page.includes(line.trim().replace('const ', '')), line)
})

/** Each with what must be installed to run it. */
const takeaways = [
  { folder: 'node', command: [process.execPath, 'renew-session.js'], tool: toolOrSkip('node') },
  { folder: 'python', command: ['python3', 'renew_session.py'], tool: toolOrSkip('python3') },
  { folder: 'go', command: ['go', 'run', '.'], tool: toolOrSkip('go') },
  { folder: 'java', command: ['java', 'RenewSession.java'], tool: toolOrSkip('javac') },
]

for (const { folder, command, tool } of takeaways)
  t.test(
    `the ${folder} client waits as told and gets a token; refused for good, it gives up at once`,
    tool,
    async (t) => {
      // A pause longer than the deadline is told to the caller, who has to wait it out.
      const { url, key, zendesk } = await startWithKey(t, { ZENDESK_TIMEOUT_MS: '1900' })
      const start = (KEY: string) => {
        const [program = '', ...args] = command
        const env = { ...process.env, SERVICE: url, KEY }
        return run(program, args, { cwd: `examples/${folder}`, env })
      }
      const headers = { 'retry-after': '2' }
      zendesk.misbehave({ kind: 'status', status: 429, headers, target: 'renew', times: 1 })
      t.match((await start(key)).stdout.trim(), TOKEN)
      t.equal(zendesk.renewals().length, 2, 'the 429 and the one after it')
      const { headers: told } = await renew(url, bearer(key))
      t.equal(told.get('ratelimit-remaining'), '597', 'two requests before this one')

      const { stdout, stderr } = await failureOf(start('wrong'))
      t.equal(stdout, '')
      t.match(stderr, /caller-not-authenticated: Send a valid key.* \(request [\w-]{36}\)/)
      t.equal(zendesk.renewals().length, 3)
    },
  )

t.test('every request of renew.http gets an answer', async (t) => {
  const { url, key } = await startWithKey(t)
  const text = readFileSync('examples/http/renew.http', 'utf8')
  const values = { service: url, key, '$processEnv KEY': key }
  const [declarations = '', ...requests] = text.split(/^###.*\n/m)
  t.match(declarations, '@key = {{$processEnv KEY}}')
  t.equal(requests.length, 4)
  for (const request of requests) {
    const filled = request.replaceAll(
      /\{\{(.+?)\}\}/g,
      (_, name: string) => values[name as keyof typeof values],
    )
    const [line = '', ...headers] = filled.trim().split('\n')
    const [method = '', address = ''] = line.split(' ')
    const answer = await ask(address, {
      method,
      headers: Object.fromEntries(headers.map((header) => header.split(': '))) as Record<string, string>,
    })
    t.equal(answer.status, 200, line)
  }
})

t.test(
  'a TypeScript client with types from the contract compiles and runs; misspelt, it does not',
  async (t) => {
    const { url, key } = await startWithKey(t)
    const folder = t.testdir()
    cpSync('examples/typescript/renew-session.ts', join(folder, 'renew-session.ts'))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    const [, , generate = ''] = examples('sh')
    const generator = generate.replace(
      'npx openapi-typescript',
      `${process.execPath} ${bin('openapi-typescript/bin/cli.js')}`,
    )
    await run('sh', ['-c', generator], { cwd: folder, env: { SERVICE: url } })

    const source = readFileSync('examples/typescript/renew-session.ts', 'utf8')
    writeFileSync(join(folder, 'misspelt.ts'), source.replace('data.authenticity_token', 'data.token'))
    // Together, since the compiler spends its time on the libraries.
    const compiling = compile(join(folder, 'renew-session.ts'), join(folder, 'misspelt.ts'))
    const [error = '', ...others] = (await failureOf(compiling)).stdout.trim().split('\n')
    t.match(error, /misspelt\.ts\(\d+,\d+\): error .*: Property 'token' does not exist/)
    t.same(others, [], 'and nothing else is wrong')
    const env = { SERVICE: url, KEY: key }
    const { stdout } = await run(process.execPath, [join(folder, 'renew-session.js')], { env })
    t.match(stdout.trim(), TOKEN)
  },
)

const generators = 'test/generators/node_modules'
const nodeZendesk = resolve(generators, 'node-zendesk/dist/index.js')
const haveNodeZendesk = {
  skip: !existsSync(nodeZendesk) && !process.env['REQUIRE_TOOLS'] && 'test/generators is not installed',
}

t.test('node-zendesk renews with another host, name and key', haveNodeZendesk, async (t) => {
  const { url, key, zendesk, log } = await startWithKey(t)
  const program = `
    import zendesk from ${JSON.stringify(nodeZendesk)}
    const { HOST: endpointUri, NAME: username, KEY: token } = process.env
    const client = zendesk.createClient({ endpointUri, username, token })
    const { result } = await client.users.get(['users', 'me', 'session', 'renew'])
    console.log(JSON.stringify(result))`
  const renewing = (env: Record<string, string>) =>
    run(process.execPath, ['--input-type=module', '-e', program], {
      env: { HOST: `${url}/api/v2`, NAME: 'billing', ...env },
    })
  t.match(JSON.parse((await renewing({ KEY: key })).stdout), { authenticity_token: TOKEN })
  t.match((await failureOf(renewing({ KEY: makeKey() }))).stderr, /401/)
  t.equal(zendesk.renewals().length, 1)
  t.match(
    log.filter(({ msg }) => msg === 'request'),
    [
      { route: '/api/v2/users/me/session/renew.json', status: 200, caller: 'billing' },
      { status: 401, reason: 'unknown-key' },
    ],
  )
})

const haveGenerators = {
  skip: !existsSync(generators) && !process.env['REQUIRE_TOOLS'] && 'test/generators is not installed',
}

/** Each with how callers reach the service. */
const addresses = [
  { name: 'at its own address', options: haveGenerators, path: '' },
  {
    name: 'below a path that nginx takes away',
    options: { skip: haveGenerators.skip || toolOrSkip('nginx').skip },
    path: '/zendesk',
  },
]

for (const { name, options, path } of addresses)
  t.test(`the contract imported into Postman runs as it is, ${name}`, options, async (t) => {
    const address = await publicAddress()
    const port = path === '' ? address.port : 0
    const publicUrl = address.url.replace('/zendesk', path)
    const { url, key, zendesk } = await startWithKey(t, { PORT: String(port), PUBLIC_URL: publicUrl })
    if (path !== '') await startNginx(t, address.port, Number(new URL(url).port))
    const folder = t.testdir()
    const contract = join(folder, 'openapi.json')
    writeFileSync(contract, (await ask(`${publicUrl}/openapi.json`)).text)
    const converter = join(generators, 'openapi-to-postmanv2/bin/openapi2postmanv2.js')
    await run(process.execPath, [converter, '-s', contract, '-o', join(folder, 'collection.json')])
    const executions = await newman(folder, { bearerToken: key })
    const { paths } = parse(readFileSync('openapi.yaml', 'utf8')) as { paths: Record<string, object> }
    const operations = Object.values(paths)
      .flatMap((path) => Object.keys(path))
      .filter((name) => name !== 'parameters')
    t.equal(executions.length, operations.length)
    for (const { item, response } of executions) t.equal(response.code, 200, item.name)
    t.equal(zendesk.renewals().length, 4)
  })

/** What a project writes around the generated file. */
const generated = [
  {
    name: 'swagger-typescript-api',
    generate: [
      'swagger-typescript-api/dist/cli.mjs',
      'generate',
      '--silent',
      '--path',
      resolve('openapi.yaml'),
      '--output',
      '.',
      '--name',
      'client.ts',
    ],
    program: `import { Api } from './client.js'
      const headers = { authorization: \`Bearer \${process.env['KEY'] ?? ''}\` }
      const api = new Api({ baseUrl: process.env['SERVICE'] ?? '', baseApiParams: { headers } })
      const token: string = (await api.session.renewSession()).data.authenticity_token
      console.log(token)`,
  },
  {
    name: 'orval',
    generate: [
      'orval/dist/bin/orval.js',
      '--input',
      resolve('openapi.yaml'),
      '--output',
      './client.ts',
      '--client',
      'fetch',
    ],
    program: `import { getRenewSessionUrl, type renewSessionResponse } from './client.js'
      const headers = { authorization: \`Bearer \${process.env['KEY'] ?? ''}\` }
      const response = await fetch(\`\${process.env['SERVICE'] ?? ''}\${getRenewSessionUrl()}\`, { headers })
      const answer = { status: response.status, data: await response.json(), headers: response.headers } as renewSessionResponse
      if (answer.status !== 200) throw new Error(answer.data.detail)
      const token: string = answer.data.authenticity_token
      console.log(token)`,
  },
]

for (const {
  name,
  generate: [cli = '', ...args],
  program,
} of generated)
  t.test(`a client generated by ${name} compiles under strict and renews`, haveGenerators, async (t) => {
    const { url, key } = await startWithKey(t)
    const folder = t.testdir({ 'package.json': '{"type":"module"}', 'program.ts': program })
    await run(process.execPath, [resolve(generators, cli), ...args], { cwd: folder })
    await compile(join(folder, 'program.ts'))
    const env = { SERVICE: url, KEY: key }
    const { stdout } = await run(process.execPath, [join(folder, 'program.js')], { env })
    t.match(stdout.trim(), TOKEN)
  })

/** Runs collection.json of this folder as it is. */
async function newman(folder: string, variables: Record<string, string>) {
  const report = join(folder, 'report.json')
  await run(process.execPath, [
    ...[bin('newman/bin/newman.js'), 'run', join(folder, 'collection.json'), '--disable-unicode'],
    ...Object.entries(variables).flatMap(([name, value]) => ['--env-var', `${name}=${value}`]),
    ...['--reporters', 'json', '--reporter-json-export', report],
  ])
  return (JSON.parse(readFileSync(report, 'utf8')) as NewmanReport).run.executions
}

async function failureOf(running: Promise<unknown>): Promise<{ stdout: string; stderr: string }> {
  try {
    await running
  } catch (error) {
    return error as { stdout: string; stderr: string }
  }
  throw new Error('it should have failed')
}

interface NewmanReport {
  run: { executions: { item: { name: string }; response: { code: number; stream: { data: number[] } } }[] }
}

async function startWithKey(t: Test, environment: NodeJS.ProcessEnv = {}) {
  const key = makeKey()
  const service = await startBoth(t, { ...environment, CALLER_KEYS: entry('billing', key) })
  return { ...service, key }
}

function compile(...paths: string[]) {
  const flags = [
    '--strict',
    '--skipLibCheck',
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--types',
    'node',
  ]
  return run(process.execPath, [bin('typescript/bin/tsc'), '--ignoreConfig', ...flags, ...paths])
}

function bin(path: string): string {
  return resolve('node_modules', path)
}

/** The code blocks of docs/calling.md in this language. */
function examples(language: string): string[] {
  const text = readFileSync('docs/calling.md', 'utf8')
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)]
    .filter(([, name]) => name === language)
    .map(([, , code = '']) => code)
}
