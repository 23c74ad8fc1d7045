import t, { type Test } from 'tap'
import { until } from './support/fixtures.js'
import { ask, startService, startZendesk } from './support/helper.js'
import { RedisServer, redisOrSkip } from './support/redis-server.js'

t.jobs = 3

const needsRedis = redisOrSkip()
const PASSWORD = 'sandbox-redis-password'
const SENTINEL_PASSWORD = 'sandbox-sentinel-password'
const SHARED_AGAIN_WITHIN_MS = 15_000
const BUDGET = 300
const BURST = 5

t.test('sentinels: the master dies under load', needsRedis, async (t) => {
  const [first, second] = await startPair(t)
  const sentinels = await reserve(t, 3)
  await Promise.all(sentinels.map((sentinel) => sentinel.startSentinel(first, 2, SENTINEL_PASSWORD)))
  await until('the sentinels know the replica and each other', () => haveMet(sentinels), 30_000)
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')
  const environment = {
    REDIS_URL: `redis://:${PASSWORD}@${hosts}`,
    REDIS_MODE: 'sentinel',
    REDIS_SENTINEL_PASSWORD: SENTINEL_PASSWORD,
  }
  await failOver(t, environment, () => first.kill())
  t.match(await second.command('ROLE'), ['master'])
  t.match(await second.command('KEYS', '*:pace'), [/pace$/], 'they share through the new master')
})

t.test('several hosts: the master is demoted, and connections to it stay open', needsRedis, async (t) => {
  const [first, second] = await startPair(t)
  const environment = { REDIS_URL: `redis://:${PASSWORD}@127.0.0.1:${first.port},127.0.0.1:${second.port}` }
  const replicas = await failOver(t, environment, async () => {
    await second.command('REPLICAOF', 'NO', 'ONE')
    await first.command('REPLICAOF', '127.0.0.1', second.port)
  })
  t.match(
    replicas[0]?.log.find(({ msg }) => msg === 'redis connection lost'),
    { errorCode: 'READONLY' },
  )
  t.match(await second.command('KEYS', '*:pace'), [/pace$/], 'they share through the new master')
})

t.test('cluster: the node that has the keys dies under load', needsRedis, async (t) => {
  const nodes = await startCluster(t)
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')
  const environment = { REDIS_URL: `redis://:${PASSWORD}@${hosts}`, REDIS_MODE: 'cluster' }
  await failOver(t, environment, async () => {
    const holder = await holderOf(nodes)
    const spare = nodes.at(-1)
    await spare?.command('CLUSTER', 'REPLICATE', String(await holder?.command('CLUSTER', 'MYID')))
    await until(
      'it is replicated',
      async () => String(await spare?.command('ROLE')).includes('connected'),
      20_000,
    )
    await holder?.kill()
  })
})

t.test('one service reports what is wrong with sentinels and clusters', needsRedis, async (t) => {
  const [first] = await startPair(t)
  const [sentinel] = await reserve(t, 1)
  if (!sentinel) throw new RangeError('one sentinel is needed')
  await sentinel.startSentinel(first, 1, SENTINEL_PASSWORD)
  const { environment } = await startZendesk(t)
  const atSentinel = { REDIS_URL: `redis://:${PASSWORD}@127.0.0.1:${sentinel.port}`, REDIS_MODE: 'sentinel' }
  const good = { ...atSentinel, REDIS_SENTINEL_PASSWORD: SENTINEL_PASSWORD }
  const atMaster = `redis://:${PASSWORD}@127.0.0.1:${first.port}`
  const cases: [NodeJS.ProcessEnv, object | undefined][] = [
    [good, undefined],
    [atSentinel, { errorCode: 'NOAUTH', command: 'SENTINEL' }],
    [{ ...good, REDIS_SENTINEL_PASSWORD: 'sandbox-wrong-password' }, { errorCode: 'WRONGPASS' }],
    [
      { ...good, REDIS_URL: good.REDIS_URL.replace(PASSWORD, 'sandbox-wrong-password') },
      { errorCode: 'WRONGPASS' },
    ],
    [
      { ...good, REDIS_SENTINEL_NAME: 'other' },
      { errorCode: 'NOMASTER', remedy: /REDIS_SENTINEL_NAME/ },
    ],
    [
      { ...good, REDIS_SENTINEL_PASSWORD: PASSWORD, REDIS_URL: atMaster },
      { errorCode: 'ERR', command: 'SENTINEL', remedy: /not a sentinel/ },
    ],
  ]
  for (const [redis, expected] of cases) {
    const { url, app, log } = await startService(t, { ...environment, ...redis })
    t.equal((await ask(`${url}/session/renew`)).status, 200)
    t.equal(app.redis?.connected, expected === undefined)
    const [loss] = log.filter(({ msg }) => msg === 'redis connection lost')
    if (expected) t.match(loss, expected)
    t.notMatch(JSON.stringify(log), /sandbox-(redis|sentinel|wrong)-password/)
  }
})

/** 50 callers a second at two replicas; the failover after one second. */
async function failOver(t: Test, redis: NodeJS.ProcessEnv, fail: () => Promise<unknown>) {
  const { zendesk, environment } = await startZendesk(t)
  const shared = {
    ...environment,
    ...redis,
    ZENDESK_BUDGET_PER_MINUTE: String(BUDGET),
    CALLER_RATE_PER_MINUTE: '0',
  }
  const replicas = await Promise.all([0, 1].map(() => startService(t, shared)))
  const share = () => replicas.every(({ app }) => app.redis?.connected === true)
  t.ok(share(), 'both share from the start')

  const asked: Promise<number>[] = []
  const load = setInterval(() => {
    const url = replicas[asked.length % replicas.length]?.url ?? ''
    asked.push(
      ask(`${url}/session/renew`).then(
        ({ status }) => status,
        () => 0,
      ),
    )
  }, 20)
  t.teardown(() => {
    clearInterval(load)
  })
  const startedAt = performance.now()
  await until('callers come', () => asked.length > 50, 20_000)
  await fail()
  const failedAt = performance.now()
  await until('the failover is noticed', () => !share(), SHARED_AGAIN_WITHIN_MS)
  await until('both share again', share, SHARED_AGAIN_WITHIN_MS)
  const sharedAt = performance.now()
  const before = asked.length
  await until('callers come', () => asked.length > before + 50, 20_000)
  clearInterval(load)
  const statuses = await Promise.all(asked)
  t.same(
    new Set(statuses),
    new Set([200]),
    `${statuses.length} renewals during a failover of ${Math.round(sharedAt - failedAt)} ms`,
  )

  // Without Redis each of the two has the budget for itself, beginning with its own burst.
  const seconds = (performance.now() - startedAt + sharedAt - failedAt) / 1000
  const calls = zendesk.renewals().length
  t.ok(
    calls <= (seconds * BUDGET) / 60 + 3 * BURST,
    `${calls} calls in ${seconds} s, the outage counted twice`,
  )
  for (const { log } of replicas) t.notMatch(JSON.stringify(log), /sandbox-(redis|sentinel)-password/)
  return replicas
}

async function startPair(t: Test): Promise<[RedisServer, RedisServer]> {
  const [first, second] = await reserve(t, 2)
  if (!first || !second) throw new RangeError('a pair is two')
  const secured = { requirepass: PASSWORD, masterauth: PASSWORD }
  await first.start(secured)
  await second.start({ ...secured, replicaof: `127.0.0.1 ${first.port}` })
  await until(
    'it is replicated',
    async () => String(await second.command('ROLE')).includes('connected'),
    20_000,
  )
  return [first, second]
}

/** Three masters and one without slots. */
async function startCluster(t: Test): Promise<RedisServer[]> {
  const [buses, nodes] = await Promise.all([reserve(t, 4), reserve(t, 4)])
  await Promise.all(
    nodes.map((node, index) =>
      node.start({
        requirepass: PASSWORD,
        masterauth: PASSWORD,
        'cluster-enabled': 'yes',
        'cluster-node-timeout': 2000,
        'cluster-port': buses[index]?.port ?? 0,
      }),
    ),
  )
  const [first, ...others] = nodes
  const ranges = ['0 5460', '5461 10922', '10923 16383'].map((range) => range.split(' '))
  for (const [index, range] of ranges.entries())
    await nodes[index]?.command('CLUSTER', 'ADDSLOTSRANGE', ...range)
  for (const [index, node] of others.entries())
    await first?.command('CLUSTER', 'MEET', '127.0.0.1', node.port, buses[index + 1]?.port ?? 0)
  await until(
    'the cluster is complete',
    async () => {
      const states = await Promise.all(nodes.map((node) => node.command('CLUSTER', 'INFO')))
      return states.every((state) => /cluster_state:ok[^]*cluster_known_nodes:4/.test(String(state)))
    },
    30_000,
  )
  return nodes
}

async function holderOf(nodes: RedisServer[]): Promise<RedisServer | undefined> {
  const sizes = await Promise.all(nodes.map((node) => node.command('DBSIZE')))
  return nodes[sizes.findIndex((size) => size !== 0)]
}

async function haveMet(sentinels: RedisServer[]): Promise<boolean> {
  const known = await Promise.all(
    sentinels.map(async (sentinel) => {
      const others = await sentinel.command('SENTINEL', 'SENTINELS', 'mymaster')
      const replicas = await sentinel.command('SENTINEL', 'REPLICAS', 'mymaster')
      return [others, replicas].map((list) => (Array.isArray(list) ? list.length : 0))
    }),
  )
  return known.every(([others, replicas]) => others === sentinels.length - 1 && replicas === 1)
}

function reserve(t: Test, count: number): Promise<RedisServer[]> {
  return Promise.all(Array.from({ length: count }, () => RedisServer.reserve(t)))
}
