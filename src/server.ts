import './network/threads.js'
import { ConfigError } from './config/faults.js'
import { placeOf } from './error-place.js'
import { serve } from './serve.js'

/** What says that HOST cannot be listened on. EINVAL: an IPv6 address of one link (fe80::) without the name of the link. */
const NOT_HERE = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EAI_AGAIN', 'EINVAL', 'ENOTFOUND']

try {
  await serve(process.env)
} catch (error) {
  // At once: the connection to Redis, or the listener of the metrics, would hold a process that serves nobody.
  process.stderr.write(`${message(error)}\n`, () => process.exit(1))
}

/** For a tired operator: what to do, without a stack trace. */
function message(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  const { errorCode = 'a bug', frames } = placeOf(error)
  if (errorCode === 'EADDRINUSE')
    return `zendesk-session-proxy cannot start: HOST and ${portVariable(error)} are in use by another process.`
  if (NOT_HERE.includes(errorCode))
    return 'zendesk-session-proxy cannot start: HOST is no address of this machine.'
  if (errorCode === 'EACCES')
    return `zendesk-session-proxy cannot start: it may not listen on ${portVariable(error)}; choose one above 1023.`
  return `zendesk-session-proxy cannot start: ${errorCode}\n${frames?.join('\n') ?? ''}`
}

/** Two listeners, two variables: which of them names the port that cannot be had. */
function portVariable(error: unknown): 'PORT' | 'METRICS_PORT' {
  const port = error instanceof Error && 'port' in error ? error.port : undefined
  return port === Number(process.env['METRICS_PORT']) ? 'METRICS_PORT' : 'PORT'
}
