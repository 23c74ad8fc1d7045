import { execFile } from 'node:child_process'
import dns from 'node:dns'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { connect, type AddressInfo } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config/read.js'
import { selfSigned } from '../support/certificate.js'
import { compiled } from '../support/compiled.js'
import { FaultyRedis, type RedisFault } from '../support/faulty-redis.js'
import { until } from '../support/fixtures.js'
import { ask, startService, startZendesk, type Service } from '../support/helper.js'
import { RedisServer, redisOrSkip } from '../support/redis-server.js'

t.jobs = 3

const needsRedis = redisOrSkip()
const WITHIN_MS = 5_000

/** Whatever goes wrong, and the code by which the log names it. */
const FAULTS: [name: string, code: string, fault: RedisFault][] = [
  ['a clean close', 'CLOSED', { kind: 'close' }],
  ['a reset', 'ECONNRESET', { kind: 'reset' }],
  ['silence', 'ETIMEDOUT', { kind: 'silence' }],
  ['something that is no redis', 'PROTOCOL', { kind: 'garbage' }],
  ['protected mode', 'DENIED', { kind: 'denied', line: 'DENIED Redis is running in protected mode' }],
  ...(
    [
      ['LOADING', 'LOADING Redis is loading the dataset in memory'],
      ['READONLY', "READONLY You can't write against a read only replica. script: 1, on @user_script:1."],
      ['MASTERDOWN', "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."],
      ['MOVED', 'MOVED 4711 127.0.0.1:1'],
      ['CLUSTERDOWN', 'CLUSTERDOWN Hash slot not served'],
      ['NOPERM', "NOPERM this user has no permissions to run the 'evalsha' command"],
      ['OOM', "OOM command not allowed when used memory > 'maxmemory'."],
      ['NOREPLICAS', 'NOREPLICAS Not enough good replicas to write.'],
      ['BUSY', 'BUSY Redis is busy running a script.'],
      // As Redis 6 wraps what a script ran into.
      [
        'READONLY',
        'ERR Error running script (call to f_1): @user_script:5: @user_script: 5: -READONLY You can',
      ],
    ] as const
  ).map(([code, line]): [string, string, RedisFault] => [line, code, { kind: 'reply', to: /^EVAL/, line }]),
]

t.test('whatever redis does, at the start and in operation, no renewal fails', needsRedis, async (t) => {
  const redis = await RedisServer.start(t)
  const raw = [t.capture(console, 'warn'), t.capture(console, 'error')]
  await Promise.all(
    FAULTS.map(async ([name, code, fault], index) => {
      const faulty = await FaultyRedis.open(t, redis.port)
      const { environment } = await startZendesk(t)
      faulty.misbehave(fault)
      // An account of its own each, so that they do not share.
      const service = await startService(t, { ...environment, REDIS_URL: `${faulty.url}/${index}` })
      const healing = () => {
        faulty.heal()
      }
      await checkOutage(t, service, { name: `${name}, at the start`, code, end: healing })
      service.log.length = 0
      faulty.misbehave(fault)
      await checkOutage(t, service, { name: `${name}, in operation`, code, end: healing })
      t.notMatch(JSON.stringify(service.log), /Redis is running|user_script/, 'no words of the reply')
    }),
  )
  t.same(
    raw.flatMap((calls) => calls()),
    [],
    'and no line beside the log',
  )
})

t.test('a redis that refuses connections, and a database that does not exist', needsRedis, async (t) => {
  const redis = await RedisServer.reserve(t)
  const { environment } = await startZendesk(t)
  const service = await startService(t, { ...environment, REDIS_URL: `${redis.url}/3` })
  const start = () => redis.start()
  await checkOutage(t, service, { name: 'refused, at the start', code: 'ECONNREFUSED', end: start })
  service.log.length = 0
  await redis.kill()
  await checkOutage(t, service, { name: 'refused, in operation', code: 'ECONNREFUSED', end: start })

  service.log.length = 0
  await redis.kill()
  const oneDatabase = redis.start({ databases: 1 })
  const ending = async () => {
    t.equal(await redis.command('DBSIZE'), 0, 'nothing is written to database 0')
    await redis.kill()
    await redis.start()
  }
  await oneDatabase
  await checkOutage(t, service, { name: 'no such database', code: 'ERR', end: ending })
  t.match(
    service.log.find(({ errorCode }) => errorCode === 'ERR'),
    { command: 'SELECT', remedy: /database/ },
  )
})

t.test('a name that does not resolve, and one whose look-up hangs', needsRedis, async (t) => {
  const redis = await RedisServer.start(t)
  const { environment } = await startZendesk(t)
  const system = dns.lookup
  const held: (() => void)[] = []
  const address = [{ address: '127.0.0.1', family: 4 }]
  let answers = false
  const lookup = (name: string, options: dns.LookupAllOptions, callback: LookupCallback) => {
    if (!name.endsWith('.redis.test')) system(name, options, callback)
    else if (answers) setImmediate(callback, null, address)
    else if (name.startsWith('nowhere'))
      setImmediate(callback, Object.assign(new Error(), { code: 'ENOTFOUND' }), [])
    else
      held.push(() => {
        callback(null, address)
      })
  }
  dns.lookup = Object.assign(lookup, { __promisify__: system.__promisify__ }) as typeof dns.lookup
  syncBuiltinESMExports()
  t.teardown(() => {
    dns.lookup = system
    syncBuiltinESMExports()
  })
  const services = await Promise.all(
    ['nowhere', 'hangs'].map((name) =>
      startService(t, { ...environment, REDIS_URL: `redis://${name}.redis.test:${redis.port}` }),
    ),
  )
  const [nowhere, hangs] = services
  const end = () => {
    answers = true
    for (const answer of held) answer()
  }
  await checkOutage(t, hangs, { name: 'a name that hangs', code: 'ETIMEDOUT', end: () => undefined }, false)
  t.equal(held.length, 1, 'one look-up at a time, however often it is tried')
  await checkOutage(t, nowhere, { name: 'no such name', code: 'ENOTFOUND', end }, true)
  await until('the other one shares too', () => hangs?.app.redis?.connected === true)
})

t.test('when the clock of redis is set back, waits stay as long as they were', needsRedis, async (t) => {
  const redis = await RedisServer.start(t)
  const { zendesk, environment } = await startZendesk(t)
  const service = await startService(t, {
    ...environment,
    REDIS_URL: redis.url,
    ZENDESK_BUDGET_PER_MINUTE: '60',
    ZENDESK_TIMEOUT_MS: '2000',
    CALLER_RATE_PER_MINUTE: '10',
  })
  for (let times = 0; times < 6; times++) t.equal((await renew(service)).status, 200)
  await setClockBack(redis, 10 * 60_000)
  for (let times = 0; times < 3; times++)
    t.equal((await renew(service)).status, 200, 'waits for its slot only')
  t.equal(zendesk.renewals().length, 9)
  const told = service.log.filter(({ msg }) => String(msg).startsWith('clock of redis set back'))
  t.match(told, [{ level: 40, seconds: 600 }])

  const [limit] = (await redis.command('KEYS', '*:asked:*')) as string[]
  await redis.command('PEXPIRE', limit ?? '', 11 * 60_000)
  t.equal(
    (await renew(service)).headers.get('ratelimit-remaining'),
    '9',
    'a count that would never end is begun anew',
  )
  await redis.command('PEXPIRE', limit ?? '', 30_000)

  zendesk.misbehave({ kind: 'status', status: 429, headers: { 'retry-after': '30' }, times: 1 })
  t.match(await renew(service), { status: 429, body: { retryAfter: 30 } })
  await setClockBack(redis, 5 * 60_000)
  const other = await startService(t, { ...environment, REDIS_URL: redis.url, ZENDESK_TIMEOUT_MS: '2000' })
  const { body } = await renew(other)
  t.match(body, { code: 'zendesk-rate-limited' })
  t.ok(Number(body?.['retryAfter']) <= 30, 'a pause, too')
})

t.test(
  'services for one account tell when their budgets differ; those for others share nothing',
  needsRedis,
  async (t) => {
    const redis = await RedisServer.start(t)
    const { environment } = await startZendesk(t)
    const { environment: another } = await startZendesk(t)
    const shared = { REDIS_URL: redis.url, CALLER_RATE_PER_MINUTE: '100' }
    const [large, small, elsewhere] = await Promise.all([
      startService(t, { ...environment, ...shared, ZENDESK_BUDGET_PER_MINUTE: '6000' }),
      startService(t, { ...environment, ...shared, ZENDESK_BUDGET_PER_MINUTE: '3000' }),
      startService(t, { ...another, ...shared, ZENDESK_BUDGET_PER_MINUTE: '1000' }),
    ])
    const remaining: unknown[] = []
    for (let round = 0; round < 3; round++)
      for (const service of [large, small, elsewhere])
        remaining.push((await renew(service)).headers.get('ratelimit-remaining'))
    t.same(remaining, ['99', '98', '99', '97', '96', '98', '95', '94', '97'])
    const told = [large, small, elsewhere].map(({ log }) =>
      log
        .filter(({ otherBudget }) => otherBudget !== undefined)
        .map(({ level, otherBudget }) => [level, otherBudget]),
    )
    t.same(told, [[[40, 3000]], [[40, 6000]], []])
  },
)

t.test(
  'the documented user is enough, and one that may only read is refused by name',
  needsRedis,
  async (t) => {
    const redis = await RedisServer.start(t)
    const { environment } = await startZendesk(t)
    const rules = documentedRules('sandbox-acl-password')
    await redis.command('ACL', ...rules)
    await redis.command(
      'ACL',
      'SETUSER',
      'reader',
      'on',
      '>sandbox-acl-password',
      '~*',
      '+@read',
      '+@scripting',
      '+time',
    )
    const as = (user: string) => redis.url.replace('//', `//${user}:sandbox-acl-password@`)
    const [enough, reader, wrong] = await Promise.all([
      startService(t, { ...environment, REDIS_URL: as('zendesk-session-proxy') }),
      startService(t, { ...environment, REDIS_URL: as('reader') }),
      startService(t, { ...environment, REDIS_URL: redis.url.replace('//', '//:sandbox-acl-password@') }),
    ])
    for (const service of [enough, reader, wrong]) t.equal((await renew(service)).status, 200)
    t.equal(enough.app.redis?.connected, true)
    t.notOk(enough.log.some(({ msg }) => String(msg).includes('redis')))
    t.match(losses(reader), [{ level: 40, errorCode: 'NOPERM', remedy: /lacks a permission/ }])
    t.match(losses(wrong), [{ level: 40, errorCode: /^(WRONGPASS|ERR)$/, command: 'AUTH' }])
    for (const rule of rules.filter((rule) => rule.startsWith('+'))) {
      await redis.command('ACL', 'SETUSER', 'zendesk-session-proxy', rule.replace('+', '-'))
      const lacking = await startService(t, { ...environment, REDIS_URL: as('zendesk-session-proxy') })
      t.match(losses(lacking), rule === '+eval' ? [] : [{ errorCode: 'NOPERM' }], `${rule} is needed`)
      await redis.command('ACL', 'SETUSER', 'zendesk-session-proxy', rule)
    }
    for (const { log } of [enough, reader, wrong]) t.notMatch(JSON.stringify(log), /sandbox-acl-password/)
  },
)

t.test(
  'TLS: the name of the host is sent, and an untrusted server gets no password',
  needsRedis,
  async (t) => {
    const redis = await RedisServer.start(t, { requirepass: 'sandbox-tls-password' })
    const { key, cert } = selfSigned({ name: 'localhost' })
    const names: string[] = []
    const received: string[] = []
    const SNICallback = (name: string, done: (error: Error | null) => void) => {
      names.push(name)
      done(null)
    }
    const terminator = createTlsServer({ key, cert, SNICallback }, (client) => {
      const server = connect(redis.port, '127.0.0.1')
      for (const socket of [client, server]) socket.on('error', () => undefined)
      client.on('data', (chunk) => received.push(String(chunk)))
      client.pipe(server).pipe(client)
    })
    terminator.on('tlsClientError', () => undefined)
    t.teardown(() => terminator.close())
    await once(terminator.listen(0, '127.0.0.1'), 'listening')
    const { port } = terminator.address() as AddressInfo
    const url = `rediss://:sandbox-tls-password@localhost:${port}`

    const { environment } = await startZendesk(t)
    const service = await startService(t, { ...environment, REDIS_URL: url })
    t.equal((await renew(service)).status, 200)
    t.match(losses(service), [{ errorCode: 'DEPTH_ZERO_SELF_SIGNED_CERT', server: `localhost:${port}` }])
    await service.app.close()
    t.equal(received.length, 0, 'nothing was sent')
    t.same(new Set(names), new Set(['localhost']))

    const folder = t.testdir({ 'ca.pem': cert, url })
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [compiled('test/fixtures/redis-up.js'), `${folder}/url`],
      { env: { ...process.env, NODE_EXTRA_CA_CERTS: `${folder}/ca.pem` } },
    )
    t.equal(stdout, `connected localhost:${port}\n`)
    t.ok(received.length > 0)
  },
)

t.test('a configuration of redis that contradicts itself is refused', async (t) => {
  const others = { ZENDESK_SUBDOMAIN: 'acme', ZENDESK_OAUTH_TOKEN: 'fake-bearer-token' }
  const url = 'redis://:fake-password@cache.example'
  const cases: [NodeJS.ProcessEnv, RegExp][] = [
    [{ REDIS_MODE: 'sentinel' }, /REDIS_URL: set, since REDIS_MODE is sentinel/],
    [{ REDIS_MODE: 'cluster', REDIS_URL: `${url}/1` }, /REDIS_URL: without a database/],
    [{ REDIS_URL: url, REDIS_SENTINEL_PASSWORD: 'fake-password' }, /REDIS_MODE: sentinel, since/],
    [{ REDIS_URL: `${url}:70000` }, /REDIS_URL: redis: or rediss: with one or several hosts/],
  ]
  for (const [given, message] of cases) {
    const error = await readConfig({ ...others, ...given }).then(() => undefined, String)
    t.match(error, message)
    t.notMatch(error, /fake-password/)
  }
  const { redis } = await readConfig({
    ...others,
    REDIS_URL: 'rediss://me:p%40ss,word@a:1,[2001:db8::1],c.example/7',
  })
  t.same(redis?.url.reveal(), {
    tls: true,
    hosts: [
      { host: 'a', port: 1 },
      { host: '2001:db8::1', port: undefined },
      { host: 'c.example', port: undefined },
    ],
    username: 'me',
    password: 'p@ss,word',
    database: 7,
  })
})

/** During an outage renewals succeed and the reason is in the log; after its end the service shares again, soon. */
async function checkOutage(
  t: Test,
  service: Service | undefined,
  outage: { name: string; code: string; end: () => unknown },
  ends = true,
): Promise<void> {
  const { name, code, end } = outage
  const told = () => service?.log.some(({ errorCode }) => errorCode === code) === true
  for (let times = 0; times < 3; times++) t.equal((await renew(service)).status, 200, name)
  await until(`${name}: ${code} is in the log`, told)
  t.equal((await renew(service)).status, 200, name)
  t.equal(service?.app.redis?.connected, false, `${name}: nothing is shared`)
  await end()
  if (!ends) return
  await until(`${name}: it shares again`, () => service?.app.redis?.connected, WITHIN_MS)
  t.equal((await renew(service)).status, 200, name)
  const words = service?.log.map(({ msg }) => msg).filter((msg) => /^redis connection/.test(String(msg)))
  t.same(words, ['redis connection lost', 'redis connection restored'], name)
}

function renew(service: Service | undefined) {
  return ask(`${service?.url ?? ''}/session/renew`)
}

function losses(service: Service): Record<string, unknown>[] {
  return service.log.filter(({ msg }) => msg === 'redis connection lost')
}

/** All that Redis holds is so much later than its clock, as after a step back. */
async function setClockBack(redis: RedisServer, byMs: number): Promise<void> {
  for (const key of (await redis.command('KEYS', '*:pace')) as string[]) {
    const state = (await redis.command('HGETALL', key)) as string[]
    for (let index = 0; index < state.length; index += 2) {
      const time = Number(state[index + 1])
      if (time > 1e12) await redis.command('HSET', key, state[index] ?? '', (time + byMs).toFixed(3))
    }
  }
}

function documentedRules(password: string): string[] {
  const line =
    /^ACL (SETUSER zendesk-session-proxy .*)$/m.exec(readFileSync('docs/deploying.md', 'utf8'))?.[1] ?? ''
  return line.replace('PASSWORD', password).split(' ')
}

type LookupCallback = (error: NodeJS.ErrnoException | null, addresses: dns.LookupAddress[]) => void
