import { errors } from 'undici'
import { errorCode } from '../log/error-place.js'
import { ProxyError } from '../network/tunnel.js'
import { Problem } from '../problems/problem.js'

/** What an error of undici, TLS or the socket means; `answered` tells whether a part of an answer had come. */
export function connectionProblem(error: unknown, answered: boolean, zendeskMs: number): Problem {
  if (error instanceof ProxyError)
    return new Problem('zendesk-unavailable', { cause: error, zendeskMs, isTransient: error.isTransient })
  const code = codeOf(error)
  if (CERTIFICATE_CODES.test(code)) return new Problem('zendesk-untrusted', { cause: error, zendeskMs })
  if (answered || GARBAGE_CODES.test(code))
    return new Problem('zendesk-bad-response', { cause: error, zendeskMs })
  if (TIMEOUT_CODES.test(code)) return new Problem('zendesk-timeout', { cause: error, zendeskMs })
  if (code === '' || error instanceof errors.InvalidArgumentError) {
    return new Problem('internal-error', { cause: error, zendeskMs })
  }
  return new Problem('zendesk-unavailable', { cause: error, zendeskMs })
}

/** The reasons for which OpenSSL refuses a certificate (nodejs.org/api/tls.html#x509-certificate-error-codes). */
const CERTIFICATE_CODES =
  /^(CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME_|ERR_TLS_CERT)/
const GARBAGE_CODES = /^(HPE_|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_)/
const TIMEOUT_CODES = /^(UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT|ETIMEDOUT)$/

function codeOf(error: unknown): string {
  return error instanceof Error && error.name === 'HTTPParserError' ? 'HPE_' : (errorCode(error) ?? '')
}
