import { errorCode } from '../log/error-place.js'

/** Why Redis cannot be used, without the words of its reply, which may quote anything. */
export class RedisError extends Error {
  /** The word a reply begins with (`READONLY`), the code of the system (`ECONNREFUSED`), `CLOSED` or `PROTOCOL`. */
  readonly code: string
  /** HOST:PORT of the server. */
  readonly server: string
  /** The command that was refused. */
  readonly command: string | undefined
  /** HOST:PORT of the cluster node that has the key. */
  readonly movedTo: string | undefined

  constructor(server: string, code: string, details: { command?: string; movedTo?: string } = {}) {
    super(`redis at ${server}: ${code}`)
    this.server = server
    this.code = code
    this.command = details.command
    this.movedTo = details.movedTo
  }

  static from(error: unknown, server: string, command?: string): RedisError {
    if (error instanceof RedisError) return error
    const code = codeOf(error)
    const movedTo = /^MOVED \d+ (\S*:\d+)$/.exec(messageOf(error))?.[1]
    return new RedisError(server, code, {
      ...(command !== undefined && { command }),
      ...(movedTo !== undefined && { movedTo }),
    })
  }

  /** What the operator can do about it. */
  get remedy(): string | undefined {
    if (this.code === 'ERR') return this.command === undefined ? undefined : REMEDIES[`ERR ${this.command}`]
    return REMEDIES[this.code]
  }
}

const REMEDIES: Record<string, string | undefined> = {
  READONLY:
    'this server is a replica and refuses writes; REDIS_URL must name the master, or set REDIS_MODE=sentinel',
  NOPERM: 'the user in REDIS_URL lacks a permission; docs/deploying.md lists those it needs',
  WRONGPASS: 'the user name or password in REDIS_URL is wrong',
  NOAUTH: 'REDIS_URL (or REDIS_SENTINEL_PASSWORD) has no password, but the server wants one',
  'ERR AUTH': 'REDIS_URL (or REDIS_SENTINEL_PASSWORD) has a password, but the server has none',
  'ERR SELECT': 'the database in REDIS_URL does not exist on this server',
  'ERR SENTINEL': 'this server is not a sentinel; check REDIS_URL and REDIS_MODE',
  NOMASTER: 'the sentinel knows no master of that name; check REDIS_SENTINEL_NAME',
  DENIED: 'the server runs in protected mode: give it a password or bind it to a private address',
  OOM: 'the server has used up its maxmemory',
  MOVED: 'this server is part of a cluster; set REDIS_MODE=cluster',
  CLUSTERDOWN: 'the cluster does not serve all hash slots',
  NOREPLICAS: 'the master has fewer replicas than its min-replicas-to-write',
}

/** In a reply the first word; Redis 6 puts its own words before those of a command that a script ran. */
function codeOf(error: unknown): string {
  const message = messageOf(error)
  if (message === 'Command timed out') return 'ETIMEDOUT'
  if (message === 'Connection is closed.') return 'CLOSED'
  const code = errorCode(error)
  if (code !== undefined) return code
  // The words for a missing permission of a command inside a script, in all versions.
  if (/^ERR .*The user executing the script can't/.test(message)) return 'NOPERM'
  const inScript = /^ERR Error running script.*?: -?([A-Z]{3,20}) /.exec(message)?.[1]
  return inScript ?? /^[A-Z]{3,20}\b/.exec(message)?.[0] ?? 'PROTOCOL'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : ''
}
