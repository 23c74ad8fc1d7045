import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { keyDigest, makeKey } from '../src/callers/keys.js'
import { startFailure } from '../src/commands/start-failure.js'
import { ConfigError } from '../src/config/faults.js'
import { readConfig } from '../src/config/read.js'

const ACCOUNT = { ZENDESK_SUBDOMAIN: 'acme' }
const SECRET = 'fake-canary-token'
const ENOUGH = { ...ACCOUNT, ZENDESK_OAUTH_TOKEN: SECRET }
const AGENT = { ...ACCOUNT, ZENDESK_EMAIL: 'agent@example.com' }
const CLIENT = { ...ACCOUNT, ZENDESK_OAUTH_CLIENT_ID: 'proxy' }
const JWT = { ...ENOUGH, JWT_ISSUER: 'https://id.example', JWT_AUDIENCE: 'proxy' }
const KEY = makeKey()
const DIGEST = keyDigest(KEY)

const CLEAR = /^CALLER_KEYS: .*for entry 1 put name: and what `printf %s KEY \| sha256sum` prints/
const QUOTED = 'the value is in quotation marks: remove them'
const RETURN = 'the value ends with a carriage return: save the file with Unix line endings'
const BLANK = 'the value ends with a blank: remove it'

/** The start fails, and one line of its message names the mistake. */
const refused: [mistake: string, NodeJS.ProcessEnv, line: RegExp | string][] = [
  ['the host name as subdomain', { ...ENOUGH, ZENDESK_SUBDOMAIN: 'Acme.zendesk.com' }, /set it to acme$/],
  [
    'a URL as subdomain',
    { ...ENOUGH, ZENDESK_SUBDOMAIN: 'https://acme.zendesk.com/agent' },
    /set it to acme$/,
  ],
  ['a host-mapped name as subdomain', { ...ENOUGH, ZENDESK_SUBDOMAIN: 'help.acme.com' }, /use ZENDESK_URL$/],
  ['a subdomain in capitals', { ...ENOUGH, ZENDESK_SUBDOMAIN: 'ACME' }, /^ZENDESK_SUBDOMAIN: .*lower case/],
  [
    'a misspelled name',
    { ZENDESK_OAUTH_TOKEN: SECRET, ZENDESK_SUBDOMIAN: 'acme' },
    /^ZENDESK_SUBDOMIAN .*did you mean ZENDESK_SUBDOMAIN\?/,
  ],
  [
    'a name cut short',
    { ...ENOUGH, PORT: '-1', ZENDESK_TIMEOUT: '5000' },
    /^ZENDESK_TIMEOUT .*ZENDESK_TIMEOUT_MS\?/,
  ],
  [
    'a name in the plural',
    { ...ENOUGH, PORT: '-1', TRUSTED_PROXIES: '10.0.0.0/8' },
    /^TRUSTED_PROXIES .*TRUST_PROXY\?/,
  ],
  [
    'an unknown name',
    { ...ENOUGH, PORT: '-1', JWT_SECRET: SECRET },
    /^JWT_SECRET is not a variable of this service$/,
  ],
  [
    'neither subdomain nor URL',
    { ZENDESK_OAUTH_TOKEN: SECRET },
    'Set ZENDESK_SUBDOMAIN (acme for acme.zendesk.com) or ZENDESK_URL (https://acme.zendesk.com), not both.',
  ],
  [
    'both subdomain and URL',
    { ...ENOUGH, ZENDESK_URL: 'https://acme.zendesk.com' },
    /^Set ZENDESK_SUBDOMAIN .*not both\.$/,
  ],
  [
    'a URL without scheme',
    { ZENDESK_OAUTH_TOKEN: SECRET, ZENDESK_URL: 'acme.zendesk.com' },
    /^ZENDESK_URL: .*put https:\/\/ in front of it$/,
  ],
  [
    'the whole address of the API',
    { ZENDESK_OAUTH_TOKEN: SECRET, ZENDESK_URL: 'https://acme.zendesk.com/api/v2' },
    /^ZENDESK_URL: .*set it to https:\/\/acme\.zendesk\.com$/,
  ],
  [
    'http to a remote Zendesk',
    { ZENDESK_OAUTH_TOKEN: SECRET, ZENDESK_URL: 'http://acme.zendesk.com' },
    /^ZENDESK_URL: https/,
  ],
  ['no credential', ACCOUNT, /^Set one kind of Zendesk credential: .*\(recommended\)/],
  ['an e-mail address alone', AGENT, /^ZENDESK_EMAIL is set without a secret: /],
  [
    'two kinds of credential',
    { ...AGENT, ZENDESK_API_TOKEN: SECRET, ZENDESK_PASSWORD: 'fake-password' },
    /^Keep one kind of Zendesk credential\. .*ZENDESK_API_TOKEN, ZENDESK_PASSWORD\.$/,
  ],
  [
    '/token at the end of the address',
    { ...AGENT, ZENDESK_EMAIL: 'agent@example.com/token', ZENDESK_API_TOKEN: SECRET },
    /^ZENDESK_EMAIL: .*without \/token/,
  ],
  [
    'a client without its secret',
    CLIENT,
    /^ZENDESK_OAUTH_CLIENT_SECRET: .*it goes with ZENDESK_OAUTH_CLIENT_ID/,
  ],
  [
    'Bearer in front of a token',
    { ...ACCOUNT, ZENDESK_OAUTH_TOKEN: `Bearer ${SECRET}` },
    /^ZENDESK_OAUTH_TOKEN: .*the word Bearer: remove it/,
  ],
  [
    'a token in quotation marks',
    { ...ACCOUNT, ZENDESK_OAUTH_TOKEN: `"${SECRET}"` },
    new RegExp(`^ZENDESK_OAUTH_TOKEN: .*${QUOTED}`),
  ],
  [
    'a token with a carriage return',
    { ...ACCOUNT, ZENDESK_OAUTH_TOKEN: `${SECRET}\r` },
    new RegExp(`^ZENDESK_OAUTH_TOKEN: .*${RETURN}`),
  ],
  [
    'a secret and its file',
    { ...ENOUGH, ZENDESK_OAUTH_TOKEN_FILE: '/run/secrets/token' },
    'Set ZENDESK_OAUTH_TOKEN or ZENDESK_OAUTH_TOKEN_FILE, not both.',
  ],
  [
    'a secret as the name of a file',
    { ...ACCOUNT, ZENDESK_OAUTH_TOKEN_FILE: SECRET },
    /^ZENDESK_OAUTH_TOKEN_FILE: the path of a file that can be read \(ENOENT\)/,
  ],
  [
    'a secret of blanks',
    { ...CLIENT, ZENDESK_OAUTH_CLIENT_SECRET: '  ' },
    /^ZENDESK_OAUTH_CLIENT_SECRET: one line of text, not empty/,
  ],
  ['a port in quotation marks', { ...ENOUGH, PORT: '"3000"' }, new RegExp(`^PORT: .*${QUOTED}`)],
  ['a port with a carriage return', { ...ENOUGH, PORT: '3000\r' }, new RegExp(`^PORT: .*${RETURN}`)],
  ['a port with a blank', { ...ENOUGH, PORT: '3000 ' }, new RegExp(`^PORT: .*${BLANK}`)],
  [
    'a port with a comment',
    { ...ENOUGH, PORT: '3000 # http' },
    /^PORT: .*the value contains " #": remove the comment/,
  ],
  [
    'a port that nothing expanded',
    { ...ENOUGH, PORT: '${PORT:-3000}' },
    /^PORT: .*\$\{…\} or \$\(…\), which was not expanded/,
  ],
  [
    'a time with its unit',
    { ...ENOUGH, ZENDESK_TIMEOUT_MS: '5s' },
    /^ZENDESK_TIMEOUT_MS: .*digits alone, without a unit/,
  ],
  ['a flag of YAML', { ...ENOUGH, DOCS: 'no' }, /^DOCS: true or false; set it to false$/],
  [
    'a flag as a number',
    { ...ENOUGH, ALLOW_ANONYMOUS_CALLERS: '1' },
    /^ALLOW_ANONYMOUS_CALLERS: .*set it to true$/,
  ],
  ['the level of another logger', { ...ENOUGH, LOG_LEVEL: 'warning' }, /^LOG_LEVEL: .*set it to warn$/],
  [
    'open to everybody',
    { ...ENOUGH, HOST: '0.0.0.0' },
    /^Nobody is configured to call this service, but HOST is reachable from other machines\. Set CALLER_KEYS, /,
  ],
  ['a port in HOST', { ...ENOUGH, HOST: '127.0.0.1:3000' }, /^HOST: .*the port belongs in PORT$/],
  ['a URL in HOST', { ...ENOUGH, HOST: 'http://127.0.0.1' }, /^HOST: .*without a scheme$/],
  [
    'metrics on the port of the service',
    { ...ENOUGH, METRICS_PORT: '3000' },
    /^METRICS_PORT: another port than PORT/,
  ],
  ['a key in clear', { ...ENOUGH, CALLER_KEYS: KEY }, CLEAR],
  ['a key in clear behind its name', { ...ENOUGH, CALLER_KEYS: `shop:${KEY}` }, CLEAR],
  ['a key of another maker in clear', { ...ENOUGH, CALLER_KEYS: 'shop:fake-canary-key' }, CLEAR],
  [
    'a digest without its name',
    { ...ENOUGH, CALLER_KEYS: DIGEST },
    /^CALLER_KEYS: entries name:sha256-hex.*entry 1/,
  ],
  [
    'the digest of nothing',
    { ...ENOUGH, CALLER_KEYS: `shop:${keyDigest('\n')}` },
    /^CALLER_KEYS: .*not of an empty text/,
  ],
  [
    'keys in quotation marks',
    { ...ENOUGH, CALLER_KEYS: `"shop:${DIGEST}"` },
    new RegExp(`^CALLER_KEYS: .*${QUOTED}`),
  ],
  [
    'callers and anybody',
    { ...ENOUGH, CALLER_KEYS: `shop:${DIGEST}`, ALLOW_ANONYMOUS_CALLERS: 'true' },
    /^ALLOW_ANONYMOUS_CALLERS: unset or false/,
  ],
  ['an issuer without audience', { ...ENOUGH, JWT_ISSUER: 'https://id.example' }, /^JWT_AUDIENCE: /],
  [
    'the discovery address as issuer',
    { ...JWT, JWT_ISSUER: 'https://id.example/a/.well-known/openid-configuration' },
    /^JWT_ISSUER: .*such as https:\/\/id\.example\/a$/,
  ],
  [
    'the discovery address for the keys',
    { ...JWT, JWT_JWKS_URL: 'https://id.example/.well-known/openid-configuration' },
    /^JWT_JWKS_URL: the "jwks_uri" of/,
  ],
  [
    'an issuer without scheme',
    { ...JWT, JWT_ISSUER: 'id.example/tenant' },
    /^JWT_ISSUER: .*put https:\/\/ in front of it$/,
  ],
  ['every origin', { ...ENOUGH, CORS_ORIGINS: '*' }, /^CORS_ORIGINS: .*no \*/],
  [
    'an origin with a slash',
    { ...ENOUGH, CORS_ORIGINS: 'https://app.example.com/' },
    /^CORS_ORIGINS: .*no path/,
  ],
  ['trust in every proxy', { ...ENOUGH, TRUST_PROXY: 'true' }, /^TRUST_PROXY: addresses/],
  ['a Redis without scheme', { ...ENOUGH, REDIS_URL: 'cache.example:6379' }, /^REDIS_URL: /],
  [
    'sentinels without Redis',
    { ...ENOUGH, REDIS_MODE: 'sentinel' },
    /^REDIS_URL: set, since REDIS_MODE is sentinel/,
  ],
  [
    'an odd character in the password of a proxy',
    { ...ENOUGH, HTTPS_PROXY: 'http://user:pass#word@proxy.example' },
    /^HTTPS_PROXY: .*# is %23/,
  ],
  [
    'a public address without scheme',
    { ...ENOUGH, PUBLIC_URL: 'proxy.example/zendesk' },
    /^PUBLIC_URL: .*put https:\/\/ in front of it$/,
  ],
  [
    'certificates that are not verified',
    { ...ENOUGH, NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    /^NODE_TLS_REJECT_UNAUTHORIZED: unset/,
  ],
]

/** The service starts, with one warning that names the mistake. */
const warned: [mistake: string, NodeJS.ProcessEnv, line: RegExp | string][] = [
  ['a misspelled name', { ...ENOUGH, ZENDESK_BUDGET: '10' }, /^ZENDESK_BUDGET .*ZENDESK_BUDGET_PER_MINUTE\?/],
  [
    'a name without a word',
    { ...ENOUGH, ZENDESK_CLIENT_ID: 'proxy' },
    /^ZENDESK_CLIENT_ID .*ZENDESK_OAUTH_CLIENT_ID\?/,
  ],
  [
    'a name of two meanings',
    { ...ENOUGH, ZENDESK_TOKEN: SECRET },
    /^ZENDESK_TOKEN .*ZENDESK_OAUTH_TOKEN or ZENDESK_API_TOKEN\?/,
  ],
  [
    'an unknown name',
    { ...ENOUGH, ZENDESK_DOMAIN_NAME: 'acme' },
    'ZENDESK_DOMAIN_NAME is not a variable of this service',
  ],
  ['a name with hyphens', { ...ENOUGH, 'caller-keys': 'a' }, /^caller-keys .*did you mean CALLER_KEYS\?/],
  [
    'a Service called "metrics"',
    { ...ENOUGH, METRICS_PORT: 'tcp://10.0.0.1:9464' },
    /^METRICS_PORT: counts as unset/,
  ],
  [
    'a password in quotation marks',
    { ...AGENT, ZENDESK_PASSWORD: "'fake-canary'" },
    `ZENDESK_PASSWORD: ${QUOTED}`,
  ],
  ['a password with a blank', { ...AGENT, ZENDESK_PASSWORD: 'fake-canary ' }, `ZENDESK_PASSWORD: ${BLANK}`],
  [
    'a secret with a comment',
    { ...CLIENT, ZENDESK_OAUTH_CLIENT_SECRET: 'fake-canary # of 2026' },
    /^ZENDESK_OAUTH_CLIENT_SECRET: .*" #"/,
  ],
  [
    'a secret that nothing expanded',
    { ...CLIENT, ZENDESK_OAUTH_CLIENT_SECRET: '$(cat /run/secret)' },
    /^ZENDESK_OAUTH_CLIENT_SECRET: .*not expanded/,
  ],
  [
    'the name of a variable as secret',
    { ...CLIENT, ZENDESK_OAUTH_CLIENT_SECRET: '$ZENDESK_SECRET' },
    /^ZENDESK_OAUTH_CLIENT_SECRET: .*not expanded/,
  ],
  [
    'a placeholder',
    { ...CLIENT, ZENDESK_OAUTH_CLIENT_SECRET: '<fake canary>' },
    /^ZENDESK_OAUTH_CLIENT_SECRET: .*placeholder/,
  ],
  [
    'a path as secret',
    { ...CLIENT, ZENDESK_OAUTH_CLIENT_SECRET: '/run/secrets/canary' },
    /^ZENDESK_OAUTH_CLIENT_SECRET: .*use ZENDESK_OAUTH_CLIENT_SECRET_FILE$/,
  ],
  [
    'the name in the value',
    { ...CLIENT, ZENDESK_OAUTH_CLIENT_SECRET: 'ZENDESK_OAUTH_CLIENT_SECRET=fake-canary' },
    /^ZENDESK_OAUTH_CLIENT_SECRET: the value begins with the name/,
  ],
  [
    'an invisible character',
    { ...CLIENT, ZENDESK_OAUTH_CLIENT_SECRET: 'fake-canary\u200b' },
    /^ZENDESK_OAUTH_CLIENT_SECRET: .*invisible/,
  ],
  [
    'the pair of Basic as token',
    { ...AGENT, ZENDESK_API_TOKEN: 'agent@example.com/token:fake-canary' },
    /^ZENDESK_API_TOKEN: .*the token alone/,
  ],
  ['keys with a blank at their end', { ...ENOUGH, CALLER_KEYS: `shop:${DIGEST} ` }, `CALLER_KEYS: ${BLANK}`],
  [
    'a budget below the deadline',
    { ...ENOUGH, ZENDESK_BUDGET_PER_MINUTE: '5' },
    /^ZENDESK_BUDGET_PER_MINUTE: /,
  ],
  ['a grace below the deadline', { ...ENOUGH, SHUTDOWN_GRACE_MS: '100' }, /^SHUTDOWN_GRACE_MS: /],
  ['a proxy that is not used', { ...ENOUGH, ALL_PROXY: 'socks5://fake-canary' }, /^ALL_PROXY: not used/],
]

t.test('each mistake of an operator is named in a line, and no value of a secret is shown', async (t) => {
  t.ok(refused.length + warned.length >= 60)
  for (const [mistake, environment, line] of refused) {
    const [first, ...lines] = (await outcome(environment)).refusal
    t.equal(first, 'zendesk-session-proxy cannot start. Fix these environment variables:', mistake)
    names(t, mistake, lines, line)
  }
  for (const [mistake, environment, line] of warned) {
    const { refusal, warnings } = await outcome(environment)
    t.same(refusal, [], mistake)
    names(t, mistake, warnings, line)
  }
})

t.test('what is odd in the file of a secret is told with the name of the file', async (t) => {
  const path = join(t.testdir(), 'secret')
  const client = { ...CLIENT, ZENDESK_OAUTH_CLIENT_SECRET_FILE: path }
  writeFileSync(path, '"fake-canary"\n')
  t.same((await outcome(client)).warnings, [`ZENDESK_OAUTH_CLIENT_SECRET_FILE: ${QUOTED}`])
  writeFileSync(path, 'fake-canary\r\n\r\n')
  names(
    t,
    'lines',
    (await outcome(client)).refusal,
    new RegExp(`^ZENDESK_OAUTH_CLIENT_SECRET_FILE: .*${RETURN}`),
  )
})

t.test('what is right raises no suspicion', async (t) => {
  const right: NodeJS.ProcessEnv[] = [
    { ...AGENT, ZENDESK_PASSWORD: 'pa$$word#1 "in" ${', ZENDESK_SUBDOMAIN: 'acme' },
    { ...ENOUGH, CALLER_KEYS: `shop:${DIGEST}\ntill:${keyDigest('other')}\n`, PORT: '0' },
    { ...JWT, CORS_ORIGINS: 'https://a.example, https://b.example' },
    {
      ...ENOUGH,
      METRICS_PORT: '9464',
      ZENDESK_PORT_80_TCP: 'tcp://10.0.0.1:80',
      SSL_CERT_FILE: '/etc/ssl/cert.pem',
    },
  ]
  const found = await Promise.all(right.map(outcome))
  const expected = { refusal: [], warnings: [] }
  const retired = found.map(({ warnings, ...rest }) => ({
    ...rest,
    warnings: warnings.filter((warning) => !warning.startsWith('Zendesk has retired')),
  }))
  t.same(
    retired,
    right.map(() => expected),
  )
})

t.test('an address that is in use is told as it is', (t) => {
  const inUse = (address: string, port: number) =>
    startFailure(Object.assign(new Error('in use'), { code: 'EADDRINUSE', address, port }), {
      HOST: 'localhost',
      METRICS_PORT: '9464',
    })
  t.equal(
    inUse('127.0.0.1', 3000),
    'zendesk-session-proxy cannot start: 127.0.0.1:3000 is already in use. Stop the other process or change PORT.',
  )
  t.match(inUse('::', 9464), / \[::\]:9464 is already in use\..* METRICS_PORT\.$/)
  t.end()
})

function names(t: Test, mistake: string, lines: string[], expected: RegExp | string): void {
  const fits = (line: string) => (typeof expected === 'string' ? line === expected : expected.test(line))
  t.equal(lines.filter((line) => fits(line.trim())).length, 1, `${mistake}: ${lines.join('\n')}`)
  t.notMatch(lines.join('\n'), /canary|fake-password/, mistake)
  t.notOk(lines.join('\n').includes(KEY) || lines.join('\n').includes(DIGEST), mistake)
}

async function outcome(environment: NodeJS.ProcessEnv) {
  try {
    const { warnings } = await readConfig(environment, 'v24.0.0')
    return { refusal: [], warnings }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { refusal: error.message.split('\n'), warnings: [] }
  }
}
