import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { format, inspect } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { ConfigError } from '../src/config/faults.js'
import { nameWarnings } from '../src/config/names.js'
import { readConfig } from '../src/config/read.js'
import { secretNames, variables } from '../src/config/variables.js'
import { anyText } from './support/any-text.js'

const ACCOUNT = { ZENDESK_SUBDOMAIN: 'acme' }
const TOKEN = { ZENDESK_OAUTH_TOKEN: 'fake-bearer-token' }
const ENOUGH = { ...ACCOUNT, ...TOKEN }
const KEY = 'fake-caller-key'
const DIGEST = createHash('sha256').update(KEY).digest('hex')
const OTHER_DIGEST = createHash('sha256').update('another key').digest('hex')
const CALLERS = { CALLER_KEYS: `shop:${DIGEST}` }

t.test('an account and a credential are enough; the rest has defaults', async (t) => {
  t.hasStrict(await readConfig(ENOUGH), {
    HOST: '127.0.0.1',
    PORT: 3000,
    LOG_LEVEL: 'info',
    ZENDESK_TIMEOUT_MS: 5000,
    ZENDESK_BUDGET_PER_MINUTE: 100,
    CALLER_RATE_PER_MINUTE: 600,
    DOCS: true,
    SHUTDOWN_DELAY_MS: 0,
    SHUTDOWN_GRACE_MS: 10_000,
    zendeskOrigin: 'https://acme.zendesk.com',
    access: 'loopback',
    callerSchemes: { keys: undefined, jwt: undefined },
    redis: undefined,
    publicUrl: '',
    publicPath: '',
  })
  const config = await readConfig({
    ...ENOUGH,
    ZENDESK_URL: '',
    CALLER_KEYS: '',
    METRICS_PORT: '',
    PORT: undefined,
  })
  t.equal(config.METRICS_PORT, undefined, 'an empty variable counts as unset')
  t.equal(config.PORT, 3000, 'so does one without a value')
})

t.test('a malformed subdomain beside a URL is two mistakes', async (t) => {
  const environment = { ...TOKEN, ZENDESK_SUBDOMAIN: 'ACME', ZENDESK_URL: 'https://acme.zendesk.com' }
  const message = await readConfig(environment).catch((error: unknown) => String(error))
  t.match(message, /ZENDESK_SUBDOMAIN: [^]*ZENDESK_URL: unset/)
})

t.test('what is right is taken as it is meant', async (t) => {
  const good: [NodeJS.ProcessEnv, meant: object][] = [
    [{ ...TOKEN, ZENDESK_URL: 'https://desk.example' }, { zendeskOrigin: 'https://desk.example' }],
    [{ ...TOKEN, ZENDESK_URL: 'https://desk.example:8443/' }, { zendeskOrigin: 'https://desk.example:8443' }],
    [{ ...TOKEN, ZENDESK_URL: 'http://127.0.0.1:4000' }, { zendeskOrigin: 'http://127.0.0.1:4000' }],
    [{ ...TOKEN, ZENDESK_URL: 'http://[::1]:4000' }, { zendeskOrigin: 'http://[::1]:4000' }],
    [{ ...TOKEN, ZENDESK_URL: 'http://localhost' }, { zendeskOrigin: 'http://localhost' }],
    [
      { ...TOKEN, ZENDESK_URL: 'http://desk.example', ZENDESK_ALLOW_HTTP: 'true' },
      { zendeskOrigin: 'http://desk.example' },
    ],
    [
      { ...ACCOUNT, ZENDESK_OAUTH_CLIENT_ID: 'proxy', ZENDESK_OAUTH_CLIENT_SECRET: 'fake-secret' },
      { zendeskCredentials: { kind: 'client-credentials', clientId: 'proxy', scope: 'read' } },
    ],
    [
      {
        ...ACCOUNT,
        ZENDESK_OAUTH_CLIENT_ID: 'proxy',
        ZENDESK_OAUTH_CLIENT_SECRET: 'fake-secret',
        ZENDESK_OAUTH_SCOPE: 'users:read read',
      },
      { zendeskCredentials: { scope: 'users:read read' } },
    ],
    [
      { ...ACCOUNT, ZENDESK_EMAIL: 'agent@example.com', ZENDESK_API_TOKEN: 'fake-token' },
      { zendeskCredentials: { kind: 'api-token', email: 'agent@example.com' } },
    ],
    [
      { ...ACCOUNT, ZENDESK_EMAIL: 'agent@example.com', ZENDESK_PASSWORD: 'fake: pass$HOME' },
      { zendeskCredentials: { kind: 'password', email: 'agent@example.com' } },
    ],
    [{ ...ENOUGH, ...CALLERS, HOST: '0.0.0.0' }, { HOST: '0.0.0.0' }],
    [{ ...ENOUGH, HOST: '::', ALLOW_ANONYMOUS_CALLERS: 'true' }, { access: 'anyone' }],
    [{ ...ENOUGH, HOST: '::1' }, { HOST: '::1' }],
    [{ ...ENOUGH, HOST: 'app_1.Example.', ALLOW_ANONYMOUS_CALLERS: 'true' }, { HOST: 'app_1.Example.' }],
    [
      { ...ENOUGH, HOST: 'localhost', PORT: '0', DOCS: 'false' },
      { HOST: '127.0.0.1', PORT: 0, DOCS: false },
    ],
    [
      { ...ENOUGH, HOST: '0.0.0.0', JWT_ISSUER: 'https://id.example/', JWT_AUDIENCE: 'proxy' },
      {
        access: 'known',
        callerSchemes: {
          jwt: {
            issuers: ['https://id.example/'],
            audiences: ['proxy'],
            jwksUrl: undefined,
            scope: undefined,
            allowHttp: false,
          },
        },
      },
    ],
    [
      {
        ...ENOUGH,
        JWT_ISSUER: 'https://id.example/a, https://id.example/b,https://id.example/a',
        JWT_AUDIENCE: 'api://proxy, proxy',
      },
      {
        callerSchemes: {
          jwt: {
            issuers: ['https://id.example/a', 'https://id.example/b'],
            audiences: ['api://proxy', 'proxy'],
          },
        },
      },
    ],
    [
      { ...ENOUGH, JWT_ISSUER: 'http://id.example', JWT_AUDIENCE: 'proxy', JWT_ALLOW_HTTP: 'true' },
      { callerSchemes: { jwt: { issuers: ['http://id.example'], allowHttp: true } } },
    ],
    [
      {
        ...ENOUGH,
        JWT_ISSUER: 'http://127.0.0.1:9',
        JWT_AUDIENCE: 'proxy',
        JWT_JWKS_URL: 'http://[::1]:9/keys',
        JWT_SCOPE: 'renew',
      },
      { callerSchemes: { jwt: { jwksUrl: 'http://[::1]:9/keys', scope: 'renew' } } },
    ],
    [
      { ...ENOUGH, CORS_ORIGINS: 'https://app.example.com,http://localhost:8080,capacitor://localhost' },
      { corsOrigins: ['https://app.example.com', 'http://localhost:8080', 'capacitor://localhost'] },
    ],
    [
      { ...ENOUGH, TRUST_PROXY: '10.0.0.0/8, 192.0.2.7,fd00::/8' },
      { trustedProxies: ['10.0.0.0/8', '192.0.2.7', 'fd00::/8'] },
    ],
    [
      {
        ...ENOUGH,
        JWT_ISSUER: 'https://id.example',
        JWT_AUDIENCE: 'api://proxy',
        JWT_JWKS_URL: 'https://id.example/keys?tenant=1',
      },
      { callerSchemes: { jwt: { audiences: ['api://proxy'], jwksUrl: 'https://id.example/keys?tenant=1' } } },
    ],
    [
      { ...ENOUGH, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example:4318/' },
      { tracesUrl: 'http://collector.example:4318/v1/traces' },
    ],
    [
      { ...ENOUGH, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector.example/in?tenant=1' },
      { tracesUrl: 'https://collector.example/in?tenant=1' },
    ],
    [{ ...ENOUGH, PUBLIC_URL: 'https://proxy.example/' }, { publicUrl: 'https://proxy.example' }],
    [{ ...ENOUGH, PUBLIC_URL: 'https://proxy.example/base/' }, { publicUrl: 'https://proxy.example/base' }],
    [{ ...ENOUGH, METRICS_PORT: '9464' }, { METRICS_PORT: 9464 }],
    [{ ...ENOUGH, LOG_LEVEL: 'WARN' }, { LOG_LEVEL: 'warn' }],
    [{ ...ENOUGH, NODE_TLS_REJECT_UNAUTHORIZED: '1' }, { zendeskOrigin: 'https://acme.zendesk.com' }],
    [{ ...ENOUGH, DEBUG: 'express', NODE_DEBUG: 'module', NODE_OPTIONS: '--max-old-space-size=100' }, {}],
  ]
  for (const [environment, meant] of good)
    t.hasStrict(await readConfig(environment), meant, JSON.stringify(environment))
  const { zendeskCredentials } = await readConfig(good[9]?.[0] ?? {})
  t.equal(zendeskCredentials.secret.reveal(), 'fake: pass$HOME', 'nothing in a secret is expanded')
})

t.test('what is wrong is refused, by the name of the variable and without its value', async (t) => {
  const one: Record<string, string[]> = {
    PORT: ['http', '-1', '65536', '3000.5', 'Infinity', '1e999'],
    LOG_LEVEL: ['loud', 'information'],
    ZENDESK_SUBDOMAIN: ['Acme', 'desk.zendesk.com', '-acme', 'ac_me', 'a'.repeat(64), 'acme\n'],
    ZENDESK_OAUTH_TOKEN: ['fake token', 'fake-token\n', '"fake-token"', 'Bearer fake-token'],
    ZENDESK_TIMEOUT_MS: ['99', '120001', 'soon', 'Infinity'],
    ZENDESK_BUDGET_PER_MINUTE: ['-1', '100001', 'all'],
    ZENDESK_OAUTH_SCOPE: ['read  write', ' read', '"read"'],
    CALLER_KEYS: [
      KEY,
      `shop:${KEY}`,
      DIGEST,
      `shop:${DIGEST.slice(1)}`,
      `shop:${DIGEST}0`,
      `a shop:${DIGEST}`,
      `shop:${DIGEST},till:${DIGEST.toUpperCase()}`,
      ' , ',
    ],
    CALLER_RATE_PER_MINUTE: ['-1', '1000001'],
    JWT_ISSUER: ['https://id.example'],
    JWT_AUDIENCE: ['proxy'],
    JWT_JWKS_URL: ['http://id.example/keys', 'keys.json'],
    JWT_SCOPE: ['renew sessions'],
    ALLOW_ANONYMOUS_CALLERS: ['yes', '1', 'TRUE'],
    CORS_ORIGINS: [
      '*',
      'null',
      'page.example',
      'https://page.example/',
      'https://page.example/path',
      'https://PAGE.example',
      'https://page.example:443',
      'https://*.example',
      'ftp://page.example',
      'capacitor://LocalHost',
      'capacitor://localhost/',
      'capacitor:localhost',
      'javascript://x@y',
      'https://good.example,*',
    ],
    TRUST_PROXY: ['true', '1', 'loopback', '192.0.2.0/33', '192.0.2.0/', 'fd00::/129', '10/8', '0.0.0.0/0'],
    REDIS_URL: [
      'cache.example:6379',
      'http://cache.example',
      'redis://a\nb',
      'redis://cache.example/0?tls=true',
      'redis://cache.example/#0',
      'redis://10#word@cache.example',
      'redis://a.example,',
      'redis://a.example:0',
      'redis://a.example:6379:6380',
      'redis://:pass/word@cache.example',
      'redis://:%zz@cache.example',
      'redis://user@/0',
    ],
    REDIS_MODE: ['Sentinel', 'replica'],
    REDIS_SENTINEL_NAME: ['my master'],
    PUBLIC_URL: ['proxy.example', 'ftp://proxy.example', 'https://p.example/?a=b', 'https://u:p@p.example'],
    METRICS_PORT: ['3000', '65536'],
    SHUTDOWN_DELAY_MS: ['-1', '300001'],
    SHUTDOWN_GRACE_MS: ['-1', '300001'],
    NODE_TLS_REJECT_UNAUTHORIZED: ['0'],
    DEBUG: ['ioredis:*', '*', 'express,ioredis:redis', 'a *'],
    NODE_DEBUG: ['http', 'fs,tls', '*', 'undici'],
    NODE_OPTIONS: ['--tls-keylog=/tmp/keys', '--max-old-space-size=100 --trace-tls'],
  }
  for (const [name, values] of Object.entries(one)) {
    for (const value of values) {
      const message = await refusal({ ...ENOUGH, [name]: value })
      t.match(message, name, `${name}=${JSON.stringify(value)}`)
      if (value.length >= 8) t.notMatch(message, value.trim(), 'without the value')
    }
  }
})

t.test('a HOST that other machines reach needs callers, and a malformed one is reported alone', async (t) => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'proxy.example'])
    t.match(
      await refusal({ ...ENOUGH, HOST: host }),
      /\n {2}Nobody is configured to call this service, but HOST is reachable from other machines\. Set CALLER_KEYS, or JWT_ISSUER and JWT_AUDIENCE /,
    )
  const odd = [
    '127.0.0.1 ',
    ' 127.0.0.1',
    '127.0.0.1\n',
    'http://127.0.0.1',
    '127.0.0.1:3000',
    'localhost:3000',
    '[::1]',
    '127.1',
    '256.0.0.1',
    '0.0.0.0/0',
    '-proxy.example',
    'proxy..example',
    'pröxy.example',
    '*',
  ]
  for (const host of odd) {
    const lines = (await refusal({ ...ENOUGH, HOST: host })).split('\n').slice(1)
    t.equal(lines.length, 1, JSON.stringify(host))
    t.ok(lines[0]?.startsWith(`  HOST: ${variables.HOST.should}`))
  }
})

t.test('what cannot be seen in a value does not get in', async (t) => {
  const values: Record<string, string> = {
    ZENDESK_OAUTH_CLIENT_ID: 'fake-client',
    JWT_ISSUER: 'https://id.example',
    JWT_AUDIENCE: 'fake-audience',
    JWT_JWKS_URL: 'https://id.example/keys',
    PUBLIC_URL: 'https://proxy.example',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector.example/traces',
  }
  const client = { ...ACCOUNT, ZENDESK_OAUTH_CLIENT_SECRET: 'fake-secret' }
  const rest = { ...client, ...values, HOST: '0.0.0.0' }
  t.equal(await refusal(rest), '')
  for (const [name, value] of Object.entries(values)) {
    for (const unseen of [' ', '\n', '\t', '\r\n', '\0', '\u007f', '\u00a0', '\u200b', '\ufeff']) {
      for (const spoilt of [unseen + value, value + unseen, value.slice(0, 9) + unseen + value.slice(9)]) {
        const lines = (await refusal({ ...rest, [name]: spoilt })).split('\n').slice(1)
        t.match(lines, [new RegExp(`^ {2}${name}: `)], `${name}=${JSON.stringify(spoilt)}`)
        t.equal(lines.length, 1)
      }
    }
  }
  for (const issuer of ['https://id.example/?tenant=1', 'https://id.example?', 'https://id.example/#'])
    t.match(await refusal({ ...rest, JWT_ISSUER: issuer }), '  JWT_ISSUER: ', issuer)
  const based = { ...rest, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example?tenant=1' }
  t.match(await refusal(based), '  OTEL_EXPORTER_OTLP_ENDPOINT: ', 'a base, to which a path is added')
  const email = { ...ACCOUNT, ZENDESK_API_TOKEN: 'fake-token', ZENDESK_EMAIL: 'agent@example.com\u200b' }
  t.match(await refusal(email), '  ZENDESK_EMAIL: ')
})

t.test('variables that contradict each other are refused together', async (t) => {
  const email = { ZENDESK_EMAIL: 'agent@example.com' }
  const contradictions: [NodeJS.ProcessEnv, named: string[]][] = [
    [TOKEN, ['ZENDESK_SUBDOMAIN', 'ZENDESK_URL']],
    [{ ...ENOUGH, ZENDESK_URL: 'https://desk.example' }, ['ZENDESK_SUBDOMAIN', 'ZENDESK_URL']],
    [ACCOUNT, ['ZENDESK_OAUTH_CLIENT_ID', 'ZENDESK_OAUTH_TOKEN', 'ZENDESK_API_TOKEN', 'ZENDESK_PASSWORD']],
    [{ ...ENOUGH, ...email, ZENDESK_PASSWORD: 'x' }, ['ZENDESK_OAUTH_TOKEN', 'ZENDESK_PASSWORD']],
    [
      { ...ACCOUNT, ...email, ZENDESK_PASSWORD: 'x', ZENDESK_API_TOKEN: 'y' },
      ['ZENDESK_PASSWORD', 'ZENDESK_API_TOKEN'],
    ],
    [{ ...ENOUGH, ZENDESK_OAUTH_CLIENT_ID: 'proxy' }, ['ZENDESK_OAUTH_TOKEN', 'ZENDESK_OAUTH_CLIENT_ID']],
    [{ ...ENOUGH, ...email }, ['ZENDESK_EMAIL']],
    [{ ...ACCOUNT, ...email }, ['ZENDESK_API_TOKEN', 'ZENDESK_PASSWORD']],
    [{ ...ACCOUNT, ZENDESK_API_TOKEN: 'x' }, ['ZENDESK_EMAIL']],
    [{ ...ACCOUNT, ZENDESK_EMAIL: 'a@b.example/token', ZENDESK_API_TOKEN: 'x' }, ['ZENDESK_EMAIL']],
    [{ ...ACCOUNT, ZENDESK_OAUTH_CLIENT_ID: 'proxy' }, ['ZENDESK_OAUTH_CLIENT_SECRET']],
    [{ ...ACCOUNT, ZENDESK_OAUTH_CLIENT_SECRET: 'x' }, ['ZENDESK_OAUTH_CLIENT_ID']],
    [{ ...ENOUGH, JWT_SCOPE: 'renew' }, ['JWT_ISSUER', 'JWT_AUDIENCE']],
    [{ ...ENOUGH, JWT_ISSUER: 'http://id.example', JWT_AUDIENCE: 'proxy' }, ['JWT_ISSUER']],
    [{ ...ENOUGH, JWT_ISSUER: 'https://a.example,http://b.example', JWT_AUDIENCE: 'proxy' }, ['JWT_ISSUER']],
    [
      {
        ...ENOUGH,
        JWT_ISSUER: 'https://a.example,https://b.example',
        JWT_AUDIENCE: 'proxy',
        JWT_JWKS_URL: 'https://a.example/keys',
      },
      ['JWT_JWKS_URL: unset, since JWT_ISSUER names several'],
    ],
    [
      {
        ...ENOUGH,
        JWT_ISSUER: 'https://a.example/.well-known/openid-configuration',
        JWT_AUDIENCE: 'proxy',
      },
      ['JWT_ISSUER: the issuer, not its discovery document'],
    ],
    [{ ...ENOUGH, ...CALLERS, ALLOW_ANONYMOUS_CALLERS: 'true' }, ['ALLOW_ANONYMOUS_CALLERS']],
  ]
  for (const [environment, named] of contradictions) {
    const message = await refusal(environment)
    for (const name of named) t.match(message, name, `${JSON.stringify(environment)}: ${name}`)
  }
  const secretAlone = await refusal({ ...ACCOUNT, ZENDESK_OAUTH_CLIENT_SECRET: 'fake-secret' })
  t.match(secretAlone, /ZENDESK_OAUTH_CLIENT_ID: .*; it goes with ZENDESK_OAUTH_CLIENT_SECRET$/)
  const words = (await refusal(ACCOUNT)).match(/\b[A-Z]+(_[A-Z]+)+\b/g) ?? []
  t.same(
    words.filter((word) => !(word in variables)),
    [],
    'nothing is named that is no variable',
  )
  const origins = ['', 'acme.example', 'https://a.example/path', 'https://a.example?b', 'https://u@a.example']
  const notLocal = ['http://a.example', 'http://127.0.0.1.a.example', 'http://localhost.a.example', 'ftp://a']
  for (const url of [...origins, ...notLocal])
    t.match(await refusal({ ...TOKEN, ZENDESK_URL: url }), 'ZENDESK_URL', url)
})

t.test('several mistakes are told in one message', async (t) => {
  const message = await refusal({
    PORT: 'http',
    DOCS: 'maybe',
    ZENDESK_SUBDOMAIN: 'Acme',
    ZENDESK_EMAIL: 'agent@example.com',
    CALLER_KEYS: KEY,
    CORS_ORIGINS: '*',
    TRUST_PROXY: 'all',
    METRICS_PORT: 'none',
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
  })
  const lines = message.split('\n').slice(1)
  const names = lines.map((line) => /^ {2}([A-Z_]+): \S/.exec(line)?.[1] ?? line.trim())
  t.same(names.sort(), [
    'CALLER_KEYS',
    'CORS_ORIGINS',
    'DOCS',
    'METRICS_PORT',
    'NODE_TLS_REJECT_UNAUTHORIZED',
    'PORT',
    'TRUST_PROXY',
    'ZENDESK_EMAIL is set without a secret: add ZENDESK_API_TOKEN or ZENDESK_PASSWORD, or unset it and set ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET (recommended).',
    'ZENDESK_SUBDOMAIN',
  ])
  t.notMatch(message, KEY)
})

t.test('every secret can come from a file', async (t) => {
  const values: Record<string, string> = {
    ZENDESK_OAUTH_CLIENT_SECRET: 'fake-client-secret',
    ZENDESK_OAUTH_TOKEN: 'fake-bearer-token',
    ZENDESK_API_TOKEN: 'fake-api-token',
    ZENDESK_PASSWORD: 'fake-password',
    CALLER_KEYS: `shop:${DIGEST}\ntill:${OTHER_DIGEST}`,
    REDIS_URL: 'redis://:fake-password@cache.example:6379/0',
    REDIS_SENTINEL_PASSWORD: 'fake-password',
    HTTPS_PROXY: 'http://fake-user:fake-password@proxy.example:3128',
  }
  t.same(Object.keys(values), secretNames)
  const beside: Record<string, NodeJS.ProcessEnv> = {
    ZENDESK_OAUTH_CLIENT_SECRET: { ...ACCOUNT, ZENDESK_OAUTH_CLIENT_ID: 'proxy' },
    ZENDESK_OAUTH_TOKEN: ACCOUNT,
    ZENDESK_API_TOKEN: { ...ACCOUNT, ZENDESK_EMAIL: 'agent@example.com' },
    ZENDESK_PASSWORD: { ...ACCOUNT, ZENDESK_EMAIL: 'agent@example.com' },
    CALLER_KEYS: ENOUGH,
    REDIS_URL: ENOUGH,
    REDIS_SENTINEL_PASSWORD: { ...ENOUGH, REDIS_URL: 'redis://cache.example', REDIS_MODE: 'sentinel' },
    HTTPS_PROXY: ENOUGH,
  }
  for (const [name, value] of Object.entries(values)) {
    const directory = t.testdir({
      plain: value,
      unix: `${value}\n`,
      windows: `${value}\r\n`,
      marked: `\ufeff${value}\n`,
      empty: '\n',
      latin1: Buffer.from(`${value}\xe4`, 'latin1'),
      utf16: Buffer.from(`\ufeff${value}`, 'utf16le'),
    })
    const others = beside[name] ?? {}
    const direct = await readConfig({ ...others, [name]: value })
    for (const file of ['plain', 'unix', 'windows', 'marked']) {
      const fromFile = await readConfig({ ...others, [`${name}_FILE`]: join(directory, file) })
      t.same(revealed(fromFile), revealed(direct), `${name} from a ${file} file`)
    }
    const both = await refusal({ ...others, [name]: value, [`${name}_FILE`]: join(directory, 'plain') })
    t.match(both, `\n  Set ${name} or ${name}_FILE, not both.`)
    const mistakes: [path: string, should: string][] = [
      [join(directory, 'missing'), 'can be read (ENOENT)'],
      ['a\0b', 'can be read (ERR_INVALID_ARG_VALUE)'],
      [join(directory, 'empty'), 'holds '],
      [join(directory, 'latin1'), 'in UTF-8'],
      [join(directory, 'utf16'), 'in UTF-8'],
    ]
    for (const [path, should] of mistakes) {
      const message = await refusal({ ...others, [`${name}_FILE`]: path })
      t.match(message.replace('a file that', 'a file'), `  ${name}_FILE: the path of a file ${should}`, path)
    }
    t.match(
      await refusal({ ...others, [`${name}_FILE`]: directory }),
      `  ${name}_FILE: the path of a regular file`,
    )
  }
})

t.test('blanks may belong to a password, but a byte order mark does not', async (t) => {
  const agent = { ...ACCOUNT, ZENDESK_EMAIL: 'agent@example.com' }
  const { zendeskCredentials } = await readConfig({ ...agent, ZENDESK_PASSWORD: ' fake password ' })
  t.equal(zendeskCredentials.secret.reveal(), ' fake password ')
  t.match(await refusal({ ...agent, ZENDESK_PASSWORD: '\ufefffake-password' }), 'ZENDESK_PASSWORD: one line')
})

t.test("callers' keys are understood in any common notation", async (t) => {
  const notations = [
    `shop:${DIGEST},shop:${OTHER_DIGEST}`,
    `shop:${DIGEST} \n\t, shop:${OTHER_DIGEST}\n`,
    `shop:${DIGEST.toUpperCase()}\r\nshop:${OTHER_DIGEST}`,
  ]
  for (const text of notations) {
    const { callerSchemes } = await readConfig({ ...ENOUGH, CALLER_KEYS: text })
    const keys = callerSchemes.keys
      ?.reveal()
      .map(({ caller, digest }) => `${caller.name}:${digest.toString('hex')}`)
    t.same(keys, [`shop:${DIGEST}`, `shop:${OTHER_DIGEST}`], 'two keys of one caller, for rotation')
  }
  const message = await refusal({ ...ENOUGH, CALLER_KEYS: `shop:${DIGEST},${KEY}` })
  t.match(message, /CALLER_KEYS: .*entry 2/, 'a bad entry is found by its position')
  for (const name of ['-shop', '.shop', '_shop', ''])
    t.match(await refusal({ ...ENOUGH, CALLER_KEYS: `${name}:${DIGEST}` }), /CALLER_KEYS: .*entry 1/, name)
})

t.test('the operator is warned of what works but should not be so', async (t) => {
  const api = { ...ACCOUNT, ZENDESK_EMAIL: 'agent@example.com', ZENDESK_API_TOKEN: 'fake-token' }
  const password = { ...ACCOUNT, ZENDESK_EMAIL: 'agent@example.com', ZENDESK_PASSWORD: 'fake-password' }
  const inClear = { ...TOKEN, ZENDESK_URL: 'http://desk.example', ZENDESK_ALLOW_HTTP: 'true' }
  t.match(await warnings(api), [/API tokens off on 2027-04-30/])
  t.match(await warnings(password), [/retired passwords/])
  t.match(await warnings(inClear), [/ZENDESK_ALLOW_HTTP/])
  t.same(await warnings(ENOUGH), [])
  t.same(await warnings({ ...TOKEN, ZENDESK_URL: 'http://localhost:4000' }), [])

  const seldom = { ZENDESK_BUDGET_PER_MINUTE: '11' }
  t.match(await warnings({ ...ENOUGH, ...seldom }), [/^ZENDESK_BUDGET_PER_MINUTE: .*ZENDESK_TIMEOUT_MS/])
  t.same(await warnings({ ...ENOUGH, ZENDESK_BUDGET_PER_MINUTE: '12' }), [], 'a turn just in time')
  t.same(await warnings({ ...ENOUGH, ZENDESK_BUDGET_PER_MINUTE: '0' }), [])
  t.match(await warnings({ ...ENOUGH, SHUTDOWN_GRACE_MS: '4999' }), [/^SHUTDOWN_GRACE_MS: /])
  t.same(await warnings({ ...ENOUGH, SHUTDOWN_GRACE_MS: '5000' }), [])

  const proxies = {
    HTTP_PROXY: 'http://fake-canary',
    https_proxy: 'fake',
    ftp_proxy: 'fake',
    All_Proxy: 'fake-canary',
  }
  const [proxied = '', ...others] = await warnings({ ...ENOUGH, ...proxies })
  t.match(proxied, /^All_Proxy: not used/)
  t.notMatch(proxied, 'canary')
  t.same(others, [])
  t.same(await warnings({ ...ENOUGH, HTTP_PROXY: '', NO_PROXY: '*' }), [], 'an empty one is none')
})

t.test('tracing does what the OTEL variables say, or says that it does not', async (t) => {
  const collector = { ...ENOUGH, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example:4318' }
  const cases: [NodeJS.ProcessEnv, on: boolean, warned: RegExp[]][] = [
    [{}, true, []],
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, true, []],
    [{ OTEL_TRACES_EXPORTER: ' OTLP ' }, true, [/^OTEL_TRACES_EXPORTER: .*a blank/]],
    [{ OTEL_TRACES_EXPORTER: 'none' }, false, []],
    [{ OTEL_TRACES_EXPORTER: 'None' }, false, []],
    [{ OTEL_TRACES_EXPORTER: 'console' }, false, [/^OTEL_TRACES_EXPORTER: .*no tracing/]],
    [{ OTEL_TRACES_EXPORTER: 'console,otlp' }, true, [/^OTEL_TRACES_EXPORTER: .*OTLP only/]],
    [{ OTEL_SDK_DISABLED: 'true' }, false, []],
    [{ OTEL_SDK_DISABLED: 'TRUE' }, false, []],
    [{ OTEL_SDK_DISABLED: 'False' }, true, []],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }, true, []],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }, true, []],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, true, [/^OTEL_EXPORTER_OTLP_PROTOCOL: .*over HTTP only/]],
    [{ OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'GRPC' }, true, [/^OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: /]],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' }, true, []],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_TRACES_EXPORTER: 'none' }, false, []],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_ENDPOINT: '' }, false, []],
  ]
  for (const [variables, on, warned] of cases) {
    const name = JSON.stringify(variables)
    const environment = { ...collector, ...variables }
    t.equal((await readConfig(environment)).tracesUrl !== undefined, on, name)
    const said = await warnings(environment)
    t.match(said, warned, name)
    t.equal(said.length, warned.length, name)
  }
  t.match(await refusal({ ...collector, OTEL_SDK_DISABLED: 'yes' }), '  OTEL_SDK_DISABLED: true or false')
})

t.test('a misspelled variable is named with the one that is meant', async (t) => {
  const meant: Record<string, string> = {
    ZENDESK_SUBDOMIAN: 'ZENDESK_SUBDOMAIN',
    zendesk_subdomain: 'ZENDESK_SUBDOMAIN',
    ZENDESK_OAUTH_TOKEN_FIEL: 'ZENDESK_OAUTH_TOKEN_FILE',
    ZENDESK_OAUTH_CLIENT_SECERT: 'ZENDESK_OAUTH_CLIENT_SECRET',
    CALLER_KEY: 'CALLER_KEYS',
    CORS_ORIGIN: 'CORS_ORIGINS',
    JWT_JWKS_URI: 'JWT_JWKS_URL',
    LOGLEVEL: 'LOG_LEVEL',
    REDIS_URI: 'REDIS_URL',
  }
  for (const [name, ours] of Object.entries(meant)) {
    const [warning, ...others] = await warnings({ ...ENOUGH, [name]: 'fake-canary' })
    t.match(warning, new RegExp(`\\b${name} .*\\b${ours}\\b`))
    t.notMatch(warning, 'fake-canary')
    t.same(others, [])
  }
  const strangers = [
    'ZENDESK_SESSION_PROXY_SERVICE_HOST',
    'ZENDESK_SESSION_PROXY_SERVICE_PORT',
    'ZENDESK_SESSION_PROXY_PORT',
    'ZENDESK_SESSION_PROXY_PORT_3000_TCP_ADDR',
    'KUBERNETES_SERVICE_HOST',
    'KUBERNETES_PORT_443_TCP_PROTO',
    'REDIS_PORT',
    'REDIS_SERVICE_HOST',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'NODE_EXTRA_CA_CERTS',
    'NODE_OPTIONS',
    'NODE_VERSION',
    'HTTP_PROXY_PORT',
    'HTTP_PROXY_SERVICE_HOST',
    'NO_PROXY',
    'OTEL_EXPORTER_OTLP_HEADERS',
    'OTEL_EXPORTER_OTLP_LOGS_PROTOCOL',
    'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL',
    'OTEL_LOGS_EXPORTER',
    'OTEL_METRICS_EXPORTER',
    'OTEL_RESOURCE_ATTRIBUTES',
    'OTEL_SERVICE_NAME',
    'OTEL_TRACES_SAMPLER',
    'HOSTNAME',
    'HOME',
    'PATH',
    'PWD',
    'LOGNAME',
    'npm_lifecycle_event',
  ]
  const ours = [...Object.keys(variables), ...secretNames.map((name) => `${name}_FILE`)]
  t.same(nameWarnings([...strangers, ...ours]), [])
})

t.test('Node 20 gets a warning, since it gets no security releases', async (t) => {
  const warned = async (version: string) => (await readConfig(ENOUGH, version)).warnings
  t.match(await warned('v20.20.0'), [/^Node 20 reached its end of life in April 2026 .*run Node 24$/])
  for (const version of ['v22.20.0', 'v24.0.0', 'v26.1.0']) t.same(await warned(version), [])
})

t.test('the settled configuration has one name for each thing', async (t) => {
  const config = await readConfig({
    ...ENOUGH,
    ...CALLERS,
    PUBLIC_URL: 'https://proxy.example',
    TRUST_PROXY: '10.0.0.0/8',
  })
  const names = Object.keys(config).filter((name) => name in variables)
  const meant = [
    'CALLER_RATE_PER_MINUTE',
    'DOCS',
    'HOST',
    'LOG_LEVEL',
    'METRICS_PORT',
    'PORT',
    'SHUTDOWN_DELAY_MS',
    'SHUTDOWN_GRACE_MS',
    'ZENDESK_BUDGET_PER_MINUTE',
    'ZENDESK_TIMEOUT_MS',
  ]
  t.same(names.sort(), meant, 'what has a name of its own is not there under that of its variable')
})

t.test('the configuration can be printed without showing a secret', async (t) => {
  const secrets = ['fake-bearer-token', DIGEST, 'fake-redis-password']
  const config = await readConfig({
    ...ENOUGH,
    ...CALLERS,
    REDIS_URL: 'redis://:fake-redis-password@cache.example:6379',
  })
  const printed = [
    inspect(config, { depth: Infinity, showHidden: true, getters: true }),
    JSON.stringify(config),
    format('%s %o %j', config, config, config),
    `${String(config.callerSchemes.keys)} ${String(config.redis?.url)} ${String(config.zendeskCredentials.secret)}`,
  ]
  for (const text of printed) {
    t.match(text, /ZENDESK_OAUTH_TOKEN/, 'it says which secret there is')
    for (const secret of secrets) {
      t.notMatch(text, secret)
      t.notMatch(text, Buffer.from(secret).toString('base64'))
    }
  }
})

t.test('whatever the environment holds, the answer is a configuration or one clear message', async () => {
  const isSecret = (name: string) => secretNames.some((secret) => secret === name)
  const names = [...Object.keys(variables), ...secretNames.map((name) => `${name}_FILE`)]
  const plausible = ['true', '0', '3000', 'acme', 'https://a.example', 'agent@example.com', '10.0.0.0/8']
  const anything = fc.oneof(fc.string(), anyText({ minLength: 8 }))
  const likely = fc.oneof(anything, fc.constantFrom(...plausible))
  const values = names.map((name) => [name, isSecret(name) ? anything : likely] as const)
  const environment = fc.record(Object.fromEntries(values), { requiredKeys: [], noNullPrototype: true })
  const property = fc.asyncProperty(environment, async (given) => {
    const message = await refusal({ ...ENOUGH, ...given })
    return secretNames.every((name) => (given[name] ?? '').length < 8 || !message.includes(given[name] ?? ''))
  })
  await fc.assert(property, { numRuns: 100 })
})

/** The message of the refusal; empty where the configuration is accepted. */
async function refusal(environment: NodeJS.ProcessEnv): Promise<string> {
  try {
    await readConfig(environment)
    return ''
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

async function warnings(environment: NodeJS.ProcessEnv): Promise<string[]> {
  const { warnings } = await readConfig(environment, 'v24.0.0')
  return warnings
}

function revealed({ zendeskCredentials, callerSchemes, redis }: Awaited<ReturnType<typeof readConfig>>) {
  return [
    zendeskCredentials.secret.reveal(),
    callerSchemes.keys?.reveal(),
    redis?.url.reveal(),
    redis?.sentinelPassword?.reveal(),
  ]
}
