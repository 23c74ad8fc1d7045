import { ConfigError } from './config/faults.js'
import { placeOf } from './error-place.js'
import { serve } from './serve.js'

try {
  await serve(process.env)
} catch (error) {
  process.stderr.write(`${message(error)}\n`)
  process.exitCode = 1
}

/** For a tired operator: what to do, without a stack trace. */
function message(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  const { errorCode, frames } = placeOf(error)
  if (errorCode === 'EADDRINUSE')
    return 'zendesk-session-proxy cannot start: HOST and PORT are in use by another process (or HOST and METRICS_PORT).'
  if (errorCode === 'EADDRNOTAVAIL' || errorCode === 'ENOTFOUND')
    return 'zendesk-session-proxy cannot start: HOST is no address of this machine.'
  if (errorCode === 'EACCES')
    return 'zendesk-session-proxy cannot start: it may not listen on PORT; choose one above 1023.'
  return `zendesk-session-proxy cannot start: ${errorCode ?? 'a bug'}\n${frames?.join('\n') ?? ''}`
}
