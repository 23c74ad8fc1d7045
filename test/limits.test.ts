import t from 'tap'
import { RateLimit } from '../src/callers/rate-limit.js'
import { makeKey } from '../src/callers/keys.js'
import { networkOf } from '../src/callers/network.js'
import { basic, bearer, entry, eventually, renew } from './support/credentials.js'
import { ask, startBoth, startService, startZendesk } from './support/helper.js'
import { redisOrSkip, RedisServer } from './support/redis-server.js'

t.test('a caller who asks too often hears when to come back, and others go on', async (t) => {
  const [key, other] = [makeKey(), makeKey()]
  const { url, zendesk, log } = await startBoth(t, {
    CALLER_KEYS: `${entry('billing', key)} ${entry('shop', other)}`,
    CALLER_RATE_PER_MINUTE: '3',
  })
  for (const remaining of ['2', '1', '0']) {
    const { status, headers } = await renew(url, remaining === '1' ? basic('billing', key) : bearer(key))
    t.equal(status, 200)
    t.equal(headers.get('ratelimit-limit'), '3')
    t.equal(headers.get('ratelimit-remaining'), remaining)
    t.ok(Number(headers.get('ratelimit-reset')) > 0 && Number(headers.get('ratelimit-reset')) <= 60)
  }
  const refused = await renew(url, bearer(key))
  t.match(refused.body, { code: 'caller-rate-limited', status: 429 })
  t.equal(refused.headers.get('retry-after'), String(refused.body?.['retryAfter']))
  t.equal(refused.headers.get('retry-after'), refused.headers.get('ratelimit-reset'))
  t.equal(refused.headers.get('ratelimit-remaining'), '0')
  t.equal((await renew(url, bearer(other))).status, 200)
  t.equal(zendesk.renewals().length, 4)
  t.ok(log.some(({ code, caller }) => code === 'caller-rate-limited' && caller === 'billing'))
})

t.test('0 means no limit, and no headers that speak of one', async (t) => {
  const { url } = await startBoth(t, { CALLER_RATE_PER_MINUTE: '0' })
  const { status, headers } = await ask(`${url}/session/renew`)
  t.equal(status, 200)
  t.same(
    [...headers.keys()].filter((name) => name.startsWith('ratelimit')),
    [],
  )
})

t.test('callers without a name are told apart by their address, which they cannot choose', async (t) => {
  const anyone = { CALLER_RATE_PER_MINUTE: '2', ALLOW_ANONYMOUS_CALLERS: 'true' }
  const { url } = await startBoth(t, anyone)
  const forged = await Promise.all(
    [1, 2, 3].map((host) =>
      renew(url, undefined, { 'x-forwarded-for': `192.0.2.${host}`, 'x-real-ip': `192.0.2.${host}` }),
    ),
  )
  t.same(forged.map(({ status }) => status).sort(), [200, 200, 429], 'a header of a stranger is no address')

  const behind = await startBoth(t, { ...anyone, TRUST_PROXY: '127.0.0.0/8' })
  const from = async (address: string) =>
    (await renew(behind.url, undefined, { 'x-forwarded-for': address })).status
  t.same([await from('192.0.2.1'), await from('192.0.2.1'), await from('192.0.2.1')], [200, 200, 429])
  t.equal(await from('192.0.2.2'), 200)
  t.equal(await from('192.0.2.9, 192.0.2.1'), 429, 'what the stranger wrote before the proxy does not count')
  t.same(
    [await from('2001:db8::1'), await from('2001:db8::ffff:2'), await from('2001:db8::3')],
    [200, 200, 429],
    'one /64 is one address',
  )
  t.equal(await from('2001:db8:0:1::1'), 200)

  const ranges = '127.0.0.0/8, 10.0.0.5:4321, [2001:db8::a]:443, 192.168.0.0/16'
  const chained = await startBoth(t, { ...anyone, TRUST_PROXY: ranges })
  const through = async (chain: string) =>
    (await renew(chained.url, undefined, { 'x-forwarded-for': chain })).status
  const chains = [
    '203.0.113.1:5000, 10.0.0.5:80',
    '203.0.113.1:5001, [2001:db8::a]:9, 192.168.7.7:1',
    '203.0.113.1, ::ffff:10.0.0.5',
  ]
  const statuses: number[] = []
  for (const chain of chains) statuses.push(await through(chain))
  t.same(statuses, [200, 200, 429], 'proxies that write ports do not hide the client')
  t.equal(await through('203.0.113.2:5000, 10.0.0.5:80'), 200, 'who is another one')
})

t.test('guessing is slowed down, and a good key from the same address still works', async (t) => {
  const key = makeKey()
  const { url, zendesk } = await startBoth(t, { CALLER_KEYS: entry('billing', key) })
  const statuses: number[] = []
  for (let times = 1; times <= 12; times++) {
    const answer = await renew(url, bearer(makeKey()), { 'x-forwarded-for': `192.0.2.${times}` })
    statuses.push(answer.status)
    if (answer.status === 429) {
      t.match(answer.body, { code: 'caller-rate-limited', detail: /wrong credentials/ })
      t.ok(Number(answer.headers.get('retry-after')) > 0)
    }
  }
  t.same(statuses, [...Array<number>(10).fill(401), 429, 429])
  t.equal((await renew(url, bearer(key))).status, 200)
  t.equal((await renew(url)).status, 401, 'who shows nothing has not guessed')
  t.equal(zendesk.renewals().length, 1)
})

t.test('an address has one name, however it is written', (t) => {
  t.equal(networkOf('192.0.2.1'), '192.0.2.1')
  t.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1')
  t.equal(networkOf('192.0.2.1:4711'), '192.0.2.1')
  t.equal(networkOf('[2001:db8::1]:4711'), '2001:db8:0:0::/64')
  t.equal(networkOf('::1'), '0:0:0:0::/64')
  for (const same of [
    '2001:db8::1',
    '2001:0DB8:0000:0000:ffff::',
    '2001:db8:0:0:1:2:3:4',
    '2001:db8::1.2.3.4%eth0',
  ])
    t.equal(networkOf(same), '2001:db8:0:0::/64', same)
  t.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
  t.equal(networkOf('nonsense'), 'unknown')
  t.end()
})

t.test('a crowd of addresses cannot fill the memory', async (t) => {
  const limit = new RateLimit('test', 5, undefined)
  const known = await limit.spend('known')
  t.equal(known.remaining, 4)
  for (let index = 0; index < 60_000; index++) await limit.spend(`address-${index}`)
  const late = new Set<number>()
  for (let index = 0; index < 200; index++) late.add((await limit.spend(`late-${index}`)).remaining)
  t.same([...late], [0], 'latecomers share their counts')
  t.equal((await limit.spend('known')).remaining, 3, 'who was there before keeps their own')
})

const withRedis = redisOrSkip()

t.test('two replicas share a limit through Redis, and go on without it', withRedis, async (t) => {
  const key = makeKey()
  const server = await RedisServer.start(t)
  const { environment, zendesk } = await startZendesk(t)
  const variables = {
    ...environment,
    CALLER_KEYS: entry('billing', key),
    CALLER_RATE_PER_MINUTE: '6',
    REDIS_URL: server.url,
  }
  const replicas = [await startService(t, variables), await startService(t, variables)]
  const [first = '', second = ''] = replicas.map(({ url }) => url)
  await eventually(() => replicas.every(({ app }) => app.redis?.connected === true))

  for (const [url, remaining] of [
    [first, '5'],
    [second, '4'],
    [first, '3'],
    [second, '2'],
  ] as const)
    t.equal((await renew(url, bearer(key))).headers.get('ratelimit-remaining'), remaining)
  t.equal((await renew(first, bearer(makeKey()))).status, 401)
  const stored = await server.contents()
  t.ok(stored.length > 0)
  t.notOk(/billing|127\.0\.0\.1|zsp_/.test(stored), 'Redis holds neither names nor addresses nor keys')

  await server.kill()
  for (const remaining of ['5', '4', '3', '2', '1', '0']) {
    const answer = await renew(first, bearer(key))
    t.equal(answer.status, 200)
    t.equal(answer.headers.get('ratelimit-remaining'), remaining, 'counted here alone')
  }
  t.equal((await renew(first, bearer(key))).status, 429)
  t.equal((await renew(second, bearer(key))).status, 200)

  await server.start()
  await eventually(() => replicas.every(({ app }) => app.redis?.connected === true))
  t.equal((await renew(first, bearer(key))).headers.get('ratelimit-remaining'), '5')
  t.equal((await renew(second, bearer(key))).headers.get('ratelimit-remaining'), '4')
  t.equal(zendesk.renewals().length, 13)
  t.notOk(replicas.some(({ log }) => log.some(({ status }) => status === 500)))
})

t.test('a Redis that hangs delays nobody for long', withRedis, async (t) => {
  const server = await RedisServer.start(t)
  const { url, app } = await startBoth(t, { REDIS_URL: server.url })
  await eventually(() => app.redis?.connected === true)
  server.freeze()
  const answer = await renew(url)
  t.equal(answer.status, 200)
  t.ok(answer.tookMs < 1500, `${answer.tookMs} ms`)
})
