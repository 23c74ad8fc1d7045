import type { Redis } from 'ioredis'
import type { FastifyBaseLogger } from 'fastify'
import plugin from 'fastify-plugin'
import type { Secret } from '../src/secret.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** What the replicas share: limits and pauses, never a token or a credential. Undefined without REDIS_URL. */
    redis: Redis | undefined
  }
}

/** The connection to Redis or Valkey. Whoever uses it has an answer of its own for the time when it is away. */
export default plugin(
  async (app) => {
    const { redisUrl } = app.config
    const redis = redisUrl && (await connect(redisUrl, app.log))
    app.decorate('redis', redis)
    if (!redis) return
    redisUrl.follow(app.log, () => {
      // What the old address had and the new one has not must go: else the old password would be sent to a new host.
      Object.assign(redis.options, NOTHING, optionsOf(redisUrl.reveal()))
      redis.disconnect(true)
    })
    app.addHook('onClose', () => {
      redisUrl.unfollow()
      redis.disconnect()
    })
  },
  { name: 'redis' },
)

const NOTHING = { username: undefined, password: undefined, tls: undefined }

async function connect(url: Secret, log: FastifyBaseLogger): Promise<Redis> {
  // Imported only where it is used: most services run without it, and it costs memory and time at the start.
  const { Redis } = await import('ioredis')
  const redis = new Redis({
    ...optionsOf(url.reveal()),
    // Fail fast: a renewal does not wait for Redis.
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    commandTimeout: 200,
    connectTimeout: 1_000,
    retryStrategy: (times) => Math.min(times * 100, 2_000),
  })
  let away = false
  redis.on('error', (error: NodeJS.ErrnoException) => {
    if (!away) log.warn({ errorCode: error.code ?? replyCode(error) }, 'redis is away')
    away = true
  })
  redis.on('ready', () => {
    if (away) log.info('redis is back')
    away = false
  })
  // The first renewals should find it, unless it is away.
  await new Promise((settled) => redis.once('ready', settled).once('error', settled))
  return redis
}

/** The word with which Redis begins a refusal, as NOAUTH or WRONGPASS; nothing of what follows, which may quote anything. */
function replyCode({ message }: Error): string | undefined {
  return /^[A-Z]{3,20}\b/.exec(message)?.[0]
}

function optionsOf(address: string) {
  const { protocol, hostname, port, username, password, pathname } = new URL(address)
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port === '' ? 6379 : port),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    db: Number(pathname.slice(1) === '' ? 0 : pathname.slice(1)),
    ...(protocol === 'rediss:' && { tls: {} }),
  }
}
