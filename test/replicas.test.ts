import { renameSync, writeFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { eventually } from './support/credentials.js'
import { ask, startService, startZendesk, type Service } from './support/helper.js'
import { FaultyRedis } from './support/faulty-redis.js'
import { RedisServer, redisOrSkip } from './support/redis-server.js'

const needsRedis = redisOrSkip()
const SHARED = 'redis connection restored'
const ALONE = 'redis connection lost'

t.test('two replicas spend one budget', needsRedis, async (t) => {
  const redis = await RedisServer.start(t)
  const { zendesk, environment } = await startZendesk(t)
  const limited = { ...environment, ZENDESK_BUDGET_PER_MINUTE: '60', ZENDESK_TIMEOUT_MS: '500' }
  const replicas = await start(t, 2, { ...limited, REDIS_URL: redis.url })

  const answers = []
  for (let round = 0; round < 6; round++) answers.push(...(await renewAtEach(replicas)))
  const refused = answers.filter(({ status }) => status !== 200)
  t.equal(zendesk.renewals().length, 5, 'the burst of one budget, not of two')
  t.equal(refused.length, 7)
  for (const { status, body, headers } of refused) {
    t.equal(status, 429)
    t.match(body, { code: 'zendesk-rate-limited', retryAfter: Number })
    t.ok(['1', '2'].includes(headers.get('retry-after') ?? ''))
  }
})

t.test(
  'deployments for two accounts on one redis share no budget, no pause and no limit',
  needsRedis,
  async (t) => {
    const redis = await RedisServer.start(t)
    const deploy = async () => {
      const { zendesk, environment } = await startZendesk(t)
      const limited = {
        ZENDESK_BUDGET_PER_MINUTE: '60',
        ZENDESK_TIMEOUT_MS: '500',
        CALLER_RATE_PER_MINUTE: '600',
      }
      const [replica] = await start(t, 1, { ...environment, ...limited, REDIS_URL: redis.url })
      return { zendesk, replica }
    }
    const [one, other] = [await deploy(), await deploy()]
    one.zendesk.misbehave({ kind: 'status', status: 429, headers: { 'retry-after': '90' }, after: 5 })
    for (let times = 0; times < 5; times++) t.equal((await renew(one.replica)).status, 200)
    t.equal((await renew(one.replica)).status, 429, 'its burst is spent, or Zendesk has had enough')
    for (let times = 1; times <= 5; times++) {
      const { status, headers } = await renew(other.replica)
      t.equal(status, 200, 'the other one has a burst of its own')
      t.equal(headers.get('ratelimit-remaining'), String(600 - times))
    }
    t.equal(other.zendesk.renewals().length, 5)
  },
)

t.test('each replica gets its share of the budget', needsRedis, async (t) => {
  const redis = await RedisServer.start(t)
  const { zendesk, environment } = await startZendesk(t)
  const replicas = await start(t, 3, {
    ...environment,
    REDIS_URL: redis.url,
    ZENDESK_BUDGET_PER_MINUTE: '700',
    ZENDESK_TIMEOUT_MS: '2000',
  })
  const startedAt = performance.now()
  for (let round = 0; round < 6; round++) {
    const answers = await renewAtEach(replicas)
    t.same(statuses(answers), [200, 200, 200])
  }
  t.equal(zendesk.renewals().length, 18)
  t.ok(performance.now() - startedAt >= (18 - 5) * (60_000 / 700), 'at the pace of one budget')
})

t.test(
  'a 429 to one replica pauses the others, then one call goes first as a probe',
  needsRedis,
  async (t) => {
    const redis = await RedisServer.start(t)
    const { zendesk, environment } = await startZendesk(t)
    const replicas = await start(t, 3, { ...environment, REDIS_URL: redis.url, ZENDESK_TIMEOUT_MS: '1500' })
    zendesk.misbehave({ kind: 'status', status: 429, headers: { 'retry-after': '2' }, times: 1 })
    t.match(await renew(replicas[0]), { status: 429, body: { retryAfter: 2 } })
    for (const answer of await renewAtEach(replicas))
      t.match(answer, { status: 429, body: { code: 'zendesk-rate-limited', retryAfter: 2 } })
    t.equal(zendesk.renewals().length, 1, 'nothing reached Zendesk during the pause')

    zendesk.misbehave({ kind: 'delay', ms: 300 })
    await pauseIsOver(replicas[0])
    t.same(statuses(await renewAtEach(replicas)), [200, 200, 200])
    const [first = 0, ...others] = zendesk
      .renewals()
      .map(({ at }) => at)
      .slice(1)
    t.equal(others.length, 2)
    for (const at of others) t.ok(at - first >= 290, 'the others started when the first had settled')
  },
)

t.test('where the probe meets another 429, all pause again', needsRedis, async (t) => {
  const redis = await RedisServer.start(t)
  const { zendesk, environment } = await startZendesk(t)
  const replicas = await start(t, 2, { ...environment, REDIS_URL: redis.url, ZENDESK_TIMEOUT_MS: '1500' })
  zendesk.misbehave({ kind: 'status', status: 429, headers: { 'retry-after': '2' } })
  t.equal((await renew(replicas[0])).status, 429)
  t.equal((await renew(replicas[1])).status, 429)
  await pauseIsOver(replicas[0])
  t.same(statuses(await renewAtEach(replicas)), [429, 429])
  t.equal(zendesk.renewals().length, 2)
})

t.test('a 429 of the token endpoint pauses it for every replica', needsRedis, async (t) => {
  const redis = await RedisServer.start(t)
  const { zendesk } = await startZendesk(t)
  const replicas = await start(t, 2, {
    ZENDESK_URL: zendesk.url,
    ZENDESK_OAUTH_CLIENT_ID: zendesk.credentials.clientId,
    ZENDESK_OAUTH_CLIENT_SECRET: zendesk.credentials.clientSecret,
    ZENDESK_TIMEOUT_MS: '800',
    REDIS_URL: redis.url,
  })
  zendesk.misbehave({ kind: 'status', status: 429, headers: { 'retry-after': '30' }, target: 'token' })
  t.match(await renew(replicas[0]), { status: 429, body: { retryAfter: 30 } })
  t.match(await renew(replicas[1]), { status: 429, body: { code: 'zendesk-rate-limited' } })
  t.equal(zendesk.tokenRequests().length, 1)
})

t.test(
  'a pause that began without redis is told to the others once it is connected',
  needsRedis,
  async (t) => {
    const redis = await RedisServer.start(t)
    const { zendesk, environment } = await startZendesk(t)
    const replicas = await start(t, 2, { ...environment, REDIS_URL: redis.url, ZENDESK_TIMEOUT_MS: '800' })
    t.same(statuses(await renewAtEach(replicas)), [200, 200])
    await redis.kill()
    zendesk.misbehave({ kind: 'status', status: 429, headers: { 'retry-after': '60' }, times: 1 })
    t.match(await renew(replicas[0]), { status: 429, body: { retryAfter: 60 } })
    t.equal((await renew(replicas[1])).status, 200, 'the other cannot know')
    await redis.start()
    await eventually(async () => {
      t.equal((await renew(replicas[0])).status, 429)
      return (await renew(replicas[1])).status === 429
    })
    const calls = zendesk.renewals().length
    t.same(statuses(await renewAtEach(replicas)), [429, 429])
    t.equal(zendesk.renewals().length, calls)
  },
)

t.test('a replica without a budget does not wait for the slots of others', needsRedis, async (t) => {
  const redis = await RedisServer.start(t)
  const { environment } = await startZendesk(t)
  const shared = { ...environment, REDIS_URL: redis.url, ZENDESK_TIMEOUT_MS: '500' }
  const [pacing] = await start(t, 1, { ...shared, ZENDESK_BUDGET_PER_MINUTE: '10' })
  const [free] = await start(t, 1, { ...shared, ZENDESK_BUDGET_PER_MINUTE: '0' })
  t.equal((await renew(pacing)).status, 200)
  t.equal((await renew(pacing)).status, 429)
  for (let times = 0; times < 3; times++) t.equal((await renew(free)).status, 200)
})

t.test('a new address of redis gets nothing of the old one', needsRedis, async (t) => {
  const file = `${t.testdir({ url: 'redis://someone:fake-old-password@127.0.0.1:1/3' })}/url`
  const redis = await RedisServer.start(t)
  const watched = await FaultyRedis.open(t, redis.port)
  const { environment } = await startZendesk(t)
  const [replica] = await start(t, 1, { ...environment, REDIS_URL_FILE: file })
  writeFileSync(`${file}.new`, watched.url)
  renameSync(`${file}.new`, file)
  await eventually(() => replica?.app.redis?.connected === true)
  const names = watched.commands.map(([name]) => name)
  t.same(new Set(names), new Set(['EVALSHA', 'EVAL']), 'no AUTH, no SELECT')
  t.notMatch(JSON.stringify([watched.commands, replica?.log]), /fake-old-password/)
})

t.test('redis holds times only, and only for a while', needsRedis, async (t) => {
  const redis = await RedisServer.start(t)
  const { zendesk, environment } = await startZendesk(t)
  const [replica] = await start(t, 1, {
    ...environment,
    REDIS_URL: redis.url,
    ZENDESK_BUDGET_PER_MINUTE: '100',
    ZENDESK_TIMEOUT_MS: '500',
  })
  t.equal((await renew(replica)).status, 200)
  zendesk.misbehave({ kind: 'status', status: 429, headers: { 'retry-after': '600' } })
  t.equal((await renew(replica)).status, 429)

  const client = new Redis(redis.port, '127.0.0.1')
  t.teardown(() => {
    client.disconnect()
  })
  const keys = await client.keys('*')
  t.match(keys, [/^zendesk-session-proxy:\{[0-9a-f]{16}\}:pace$/])
  t.equal(keys.length, 1)
  for (const key of keys) {
    const lifetime = await client.pttl(key)
    t.ok(lifetime > 600_000 && lifetime <= 660_000, 'it outlives the longest pause, by a minute')
    for (const value of Object.values(await client.hgetall(key))) t.match(value, /^\d+(\.\d{3})?$/)
  }
})

t.test('redis killed and back empty: renewals go on, and are told of once', needsRedis, async (t) => {
  const redis = await RedisServer.start(t)
  const { environment } = await startZendesk(t)
  const [replica] = await start(t, 1, { ...environment, REDIS_URL: redis.url })
  t.equal((await renew(replica)).status, 200)
  await redis.kill()
  for (let times = 0; times < 5; times++) {
    const { status, tookMs } = await renew(replica)
    t.equal(status, 200)
    t.ok(tookMs < 450)
  }
  t.equal(told(replica, ALONE), 1)
  await redis.start()
  await renewsUntil(t, replica, () => told(replica, SHARED) === 1)
  t.equal(told(replica, ALONE), 1)
})

t.test('redis down at the start: the service works, and shares once it can', needsRedis, async (t) => {
  const redis = await RedisServer.reserve(t)
  const { environment } = await startZendesk(t)
  const replicas = await start(t, 2, { ...environment, REDIS_URL: redis.url })
  t.same(statuses(await renewAtEach(replicas)), [200, 200])
  await redis.start()
  for (const replica of replicas) await renewsUntil(t, replica, () => told(replica, SHARED) === 1)
})

t.test('a redis that does not accept the password is told by its reason alone', needsRedis, async (t) => {
  const redis = await RedisServer.reserve(t)
  await redis.start({ requirepass: 'sandbox-right-password' })
  const { environment } = await startZendesk(t)
  const cases = [
    [redis.url, 'NOAUTH'],
    [redis.url.replace('//', '//:sandbox-wrong-password@'), 'WRONGPASS'],
  ] as const
  for (const [url, errorCode] of cases) {
    const [replica] = await start(t, 1, { ...environment, REDIS_URL: url })
    t.equal((await renew(replica)).status, 200)
    const said = replica?.log.filter(({ msg }) => msg === 'redis connection lost')
    t.match(said, [{ level: 40, errorCode }])
    t.notMatch(JSON.stringify(replica?.log), /sandbox-(right|wrong)|username-password|HELLO/)
    await replica?.app.close()
  }
})

t.test('a slow redis holds up one renewal a second at the most, for 200 ms', needsRedis, async (t) => {
  const redis = await RedisServer.start(t)
  const slow = await FaultyRedis.open(t, redis.port)
  const { environment } = await startZendesk(t)
  const [replica] = await start(t, 1, { ...environment, REDIS_URL: slow.url })
  t.equal((await renew(replica)).status, 200)
  slow.delayMs = 600
  const answers = []
  for (let times = 0; times < 8; times++) answers.push(await renew(replica))
  t.ok(answers.every(({ status }) => status === 200))
  t.ok(answers.every(({ tookMs }) => tookMs < 450))
  t.ok(answers.filter(({ tookMs }) => tookMs >= 150).length <= 1)
  t.equal(told(replica, ALONE), 1)
  slow.delayMs = 0
  await renewsUntil(t, replica, () => told(replica, SHARED) === 1)
})

t.test('a redis that comes and goes gives nobody a second budget', needsRedis, async (t) => {
  const redis = await RedisServer.start(t)
  const { zendesk, environment } = await startZendesk(t)
  const [replica] = await start(t, 1, {
    ...environment,
    REDIS_URL: redis.url,
    ZENDESK_BUDGET_PER_MINUTE: '60',
    ZENDESK_TIMEOUT_MS: '300',
  })
  const startedAt = performance.now()
  const answers = []
  for (let flap = 0; flap < 3; flap++) {
    for (let times = 0; times < 4; times++) answers.push(await renew(replica))
    await redis.kill()
    for (let times = 0; times < 4; times++) answers.push(await renew(replica))
    await redis.start()
    const back = () => replica?.app.redis?.connected === true
    while (!back()) answers.push(await renew(replica))
  }
  t.ok(answers.every(({ status }) => status === 200 || status === 429))
  const seconds = (performance.now() - startedAt) / 1000
  t.ok(zendesk.renewals().length <= 5 + seconds, `${zendesk.renewals().length} calls in ${seconds} s`)
})

async function start(t: Test, count: number, environment: NodeJS.ProcessEnv): Promise<Service[]> {
  return Promise.all(
    Array.from({ length: count }, () => startService(t, { CALLER_RATE_PER_MINUTE: '0', ...environment })),
  )
}

function renew(replica: Service | undefined) {
  return ask(`${replica?.url ?? ''}/session/renew`)
}

function renewAtEach(replicas: Service[]) {
  return Promise.all(replicas.map((replica) => renew(replica)))
}

function statuses(answers: { status: number }[]): number[] {
  return answers.map(({ status }) => status)
}

function told(replica: Service | undefined, message: string): number {
  return replica?.log.filter(({ msg }) => msg === message).length ?? 0
}

async function pauseIsOver(replica: Service | undefined): Promise<void> {
  const deadline = performance.now() + 5_000
  while ((await ask(`${replica?.url ?? ''}/readyz`)).body?.['pausedForSeconds'] !== 0) {
    if (performance.now() > deadline) throw new Error('the pause does not end')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function renewsUntil(t: Test, replica: Service | undefined, done: () => boolean): Promise<void> {
  const deadline = performance.now() + 8_000
  while (!done()) {
    t.equal((await renew(replica)).status, 200)
    if (performance.now() > deadline) throw new Error('it did not come to that in time')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
