import { redisAddress, type RedisAddress } from '../redis/address.js'
import { SecretError, type Secret } from '../secret.js'
import type { Faults } from './faults.js'
import { oneLine, readSecret } from './secrets.js'
import type { Environment } from './variables.js'

export interface RedisConfig {
  url: Secret<RedisAddress>
  mode: 'single' | 'sentinel' | 'cluster'
  /** Of the master that the sentinels watch. */
  sentinelName: string
  sentinelPassword: Secret | undefined
}

export function redisConfig(environment: Environment, faults: Faults): RedisConfig | undefined {
  const { REDIS_MODE: mode, REDIS_SENTINEL_NAME: sentinelName } = environment
  const url = readSecret('REDIS_URL', environment, faults, (text) => addressFor(mode, text))
  const sentinelPassword = readSecret('REDIS_SENTINEL_PASSWORD', environment, faults, oneLine)
  if (mode !== 'single' && !isSet(environment, 'REDIS_URL'))
    faults.add(['REDIS_URL'], `set, since REDIS_MODE is ${mode}`)
  if (mode !== 'sentinel' && isSet(environment, 'REDIS_SENTINEL_PASSWORD') && !faults.blames('REDIS_MODE'))
    faults.add(['REDIS_MODE'], 'sentinel, since REDIS_SENTINEL_PASSWORD is set')
  return url && { url, mode, sentinelName, sentinelPassword }
}

function addressFor(mode: RedisConfig['mode'], text: string): RedisAddress {
  const address = redisAddress(oneLine(text))
  if (mode === 'cluster' && address.database !== 0)
    throw new SecretError('without a database, or with /0: a cluster has no other')
  return address
}

function isSet(environment: Environment, name: 'REDIS_URL' | 'REDIS_SENTINEL_PASSWORD'): boolean {
  return environment[name] !== undefined || environment[`${name}_FILE`] !== undefined
}
