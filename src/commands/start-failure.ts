import { ConfigError } from '../config/faults.js'
import { placeOf } from '../log/error-place.js'

/** The error codes of a HOST that cannot be listened on. EINVAL: a link-local IPv6 address without its zone. */
const NOT_LOCAL = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EAI_AGAIN', 'EINVAL', 'ENOTFOUND']

/** Why the service cannot start and what to do, without a stack trace. */
export function startFailure(error: unknown, environment: NodeJS.ProcessEnv): string {
  if (error instanceof ConfigError) return error.message
  return `zendesk-session-proxy cannot start: ${reason(error, environment)}`
}

function reason(error: unknown, environment: NodeJS.ProcessEnv): string {
  const { errorCode = 'a bug', frames } = placeOf(error)
  const { variable, host, port } = listener(error, environment)
  if (errorCode === 'EADDRINUSE')
    return `${host.includes(':') ? `[${host}]` : host}:${port} is already in use. Stop the other process or change ${variable}.`
  if (NOT_LOCAL.includes(errorCode)) return `HOST: ${host} is not an address of this machine (${errorCode}).`
  if (errorCode === 'EACCES')
    return `${variable}: this user may not listen on port ${port}. Use one above 1023.`
  return `${errorCode}\n${frames?.join('\n') ?? ''}`
}

/** The address that cannot be listened on, and the variable that names its port: METRICS_PORT is listened on too. */
function listener(error: unknown, environment: NodeJS.ProcessEnv) {
  // What node:net adds to its errors; the types do not have it.
  const { address, port } = (error instanceof Error ? error : {}) as { address?: string; port?: number }
  const isMetrics = port !== undefined && port === Number(environment['METRICS_PORT'])
  return {
    variable: isMetrics ? 'METRICS_PORT' : 'PORT',
    host: address ?? environment['HOST'] ?? '127.0.0.1',
    port: port ?? environment['PORT'] ?? '3000',
  }
}
