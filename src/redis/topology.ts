import type { RedisConfig } from '../config/redis.js'
import type { RedisAddress, RedisHost } from './address.js'
import { RedisConnection, type Target } from './connection.js'
import { RedisError } from './redis-error.js'
import { RedisScript } from './script.js'

const REDIS_PORT = 6379
const SENTINEL_PORT = 26379
/** A client that is sent from node to node more often than this follows a cluster that contradicts itself. */
const MOST_REDIRECTS = 3

/**
 * Uses every command that this service needs, so that a server that takes no writes or a user without the permissions is
 * found when connecting, not in a renewal.
 */
const CHECK = new RedisScript(`
redis.call('TIME')
redis.call('SET', KEYS[1], 0, 'PX', 1000)
redis.call('INCR', KEYS[1])
redis.call('PTTL', KEYS[1])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'field', 0)
redis.call('HMGET', KEYS[1], 'field')
redis.call('PEXPIRE', KEYS[1], 1000)
redis.call('DEL', KEYS[1])
return {}
`)

/**
 * A connection to the server that holds `key`, checked; through any of the hosts listed, the first that leads there.
 * @throws {RedisErrors} one per host.
 */
export async function connectThrough(
  config: RedisConfig,
  address: RedisAddress,
  key: string,
): Promise<RedisConnection> {
  const failures: RedisError[] = []
  for (const host of address.hosts) {
    try {
      return await ROUTES[config.mode](host, config, address, key)
    } catch (error) {
      failures.push(RedisError.from(error, host.host))
    }
  }
  throw new RedisErrors(failures)
}

export class RedisErrors extends Error {
  readonly failures: RedisError[]

  constructor(failures: RedisError[]) {
    super('no host of redis can be used')
    this.failures = failures
  }
}

type Route = (
  host: RedisHost,
  config: RedisConfig,
  address: RedisAddress,
  key: string,
) => Promise<RedisConnection>

const ROUTES: Record<RedisConfig['mode'], Route> = {
  single: ({ host, port = REDIS_PORT }, _config, address, key) =>
    openChecked({ ...address, host, port }, key),

  async sentinel({ host, port = SENTINEL_PORT }, { sentinelName, sentinelPassword }, address, key) {
    const credentials = { username: undefined, password: sentinelPassword?.reveal(), database: 0 }
    const sentinel = await RedisConnection.open({ tls: address.tls, ...credentials, host, port })
    const master = await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', sentinelName).finally(() => {
      sentinel.end()
    })
    const [masterHost, masterPort] = Array.isArray(master) ? (master as unknown[]) : []
    if (typeof masterHost !== 'string') throw new RedisError(sentinel.server, 'NOMASTER')
    return openChecked({ ...address, host: masterHost, port: Number(masterPort) }, key)
  },

  /** All our keys share a hash slot, so that one connection is enough: to the master of that slot. */
  async cluster({ host, port = REDIS_PORT }, _config, address, key) {
    let target: Target = { ...address, host, port }
    for (let redirects = 0; ; redirects++) {
      try {
        return await openChecked(target, key)
      } catch (error) {
        const { movedTo } = RedisError.from(error, host)
        if (movedTo === undefined || redirects === MOST_REDIRECTS) throw error
        target = { ...target, ...hostAndPort(movedTo, target.host) }
      }
    }
  },
}

async function openChecked(target: Target, key: string): Promise<RedisConnection> {
  const connection = await RedisConnection.open(target)
  try {
    await connection.run(CHECK, key, [])
    return connection
  } catch (error) {
    connection.end()
    throw error
  }
}

/** A node that does not know its own name leaves it out: it is the one that was asked. */
function hostAndPort(endpoint: string, asked: string): { host: string; port: number } {
  const colon = endpoint.lastIndexOf(':')
  const host = endpoint.slice(0, colon).replace(/^\[(.*)\]$/, '$1')
  return { host: host === '' ? asked : host, port: Number(endpoint.slice(colon + 1)) }
}
