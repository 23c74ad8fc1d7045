import type { FastifyBaseLogger } from 'fastify'
import plugin from 'fastify-plugin'
import { RedisClient } from '../src/redis/client.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** What the replicas share: limits and pauses, never a token or a credential. Undefined without REDIS_URL. */
    redis: RedisClient | undefined
  }
}

/** The connection to Redis or Valkey for as long as the service lives: follows its secrets, logs its failures. */
export default plugin(
  async (app) => {
    const { redis: config, zendeskOrigin } = app.config
    const redis = config && new RedisClient(config, zendeskOrigin)
    app.decorate('redis', redis)
    if (!redis) return
    logEvents(app.log, redis)
    const secrets = [config.url, config.sentinelPassword].filter((secret) => secret !== undefined)
    for (const secret of secrets)
      secret.follow(app.log, () => {
        redis.reconnect()
      })
    app.addHook('onClose', () => {
      for (const secret of secrets) secret.unfollow()
      redis.close()
    })
    await redis.start()
  },
  { name: 'redis' },
)

function logEvents(log: FastifyBaseLogger, redis: RedisClient): void {
  let lost = false
  redis
    .on('failure', ({ code, server, command, remedy }) => {
      const message = lost ? 'cannot reconnect to redis' : 'redis connection lost'
      lost = true
      log.warn({ errorCode: code, server, command, remedy }, message)
    })
    .on('connected', (server) => {
      if (lost) log.info({ server }, 'redis connection restored')
      lost = false
    })
}
