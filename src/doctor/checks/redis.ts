import type { Config } from '../../config/config.js'
import { RedisClient } from '../../redis/client.js'
import { ok, warn, type Finding } from '../finding.js'

/** Every command that the service needs, as at its start. Without Redis it runs, so nothing fails here. */
export async function checkRedis({ redis, zendeskOrigin }: Config): Promise<Finding[]> {
  if (!redis) return []
  const client = new RedisClient(redis, zendeskOrigin)
  let server = ''
  client.on('connected', (place) => (server = place))
  await client.start()
  const { connected, failure } = client
  client.close()
  if (connected) return [ok(`connected to ${server} (REDIS_MODE ${redis.mode}); all commands are permitted`)]
  const reason = failure ? `${failure.server}: ${failure.code}` : 'no answer within 2 seconds'
  return [warn(`replicas would not share budget and limits: ${reason}`, failure?.remedy ?? UNREACHABLE)]
}

const UNREACHABLE =
  'Check REDIS_URL, and restore Redis or the network path to it. No renewals fail meanwhile.'
