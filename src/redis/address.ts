import { SecretError } from '../secret.js'

/** What REDIS_URL says. */
export interface RedisAddress {
  tls: boolean
  /** At least one; what they are depends on the mode. */
  hosts: RedisHost[]
  username: string | undefined
  password: string | undefined
  database: number
}

export interface RedisHost {
  host: string
  /** Undefined: the default of the mode. */
  port: number | undefined
}

/**
 * Reads `rediss://user:password@a:6379,b:6379/0`, which URL cannot: it knows one host only.
 * @throws {SecretError} that does not quote the text.
 */
export function redisAddress(text: string): RedisAddress {
  const [, scheme = '', authority = '', database = ''] =
    /^(rediss?):\/\/([^/?#\s\\]+)(?:\/(\d{0,5}))?$/.exec(text) ?? []
  const at = authority.lastIndexOf('@')
  const [, username = '', , password = ''] =
    /^([^:]*)(:(.*))?$/.exec(authority.slice(0, Math.max(at, 0))) ?? []
  return {
    tls: scheme === 'rediss',
    hosts: authority
      .slice(at + 1)
      .split(',')
      .map(redisHost),
    username: decode(username),
    password: decode(password),
    database: Number(database),
  }
}

function redisHost(text: string): RedisHost {
  const url = URL.canParse(`redis://${text}`) ? new URL(`redis://${text}`) : undefined
  if (!url || url.hostname === '' || url.pathname !== '' || url.port === '0') throw malformed()
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? undefined : Number(url.port),
  }
}

function decode(text: string): string | undefined {
  try {
    return text === '' ? undefined : decodeURIComponent(text)
  } catch {
    throw malformed()
  }
}

function malformed(): SecretError {
  return new SecretError(
    'redis: or rediss: with one or several hosts, such as rediss://user:password@host:6379/0 or rediss://user:password@a:6379,b:6379/0, without query; in a password % is %25, # is %23, ? is %3F, / is %2F',
  )
}
