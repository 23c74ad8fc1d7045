import type { ProblemType } from './problem-type.js'

/** What is wrong with a request or with its credential; the caller can fix it. */
export const requestProblems = {
  'malformed-request': {
    status: 400,
    title: 'The request is malformed',
    detail: 'Correct the request line, the headers or the URL, and send at most one Authorization header.',
    retry: 'no',
    meaning:
      'The request was not valid HTTP, its URL could not be decoded, or it carried two Authorization headers.',
    caller: 'Compare the request with the examples in the contract. The same request gets the same answer.',
    operator:
      'A few of these are scanners. Many from one caller point to a broken client or to a proxy that rewrites requests.',
  },
  'caller-not-authenticated': {
    status: 401,
    title: 'The caller is not authenticated',
    detail: 'Send a valid key or token of this service in the Authorization header.',
    retry: 'no',
    meaning:
      'The request had no credential for this service, or one that is unknown, malformed, expired or removed.',
    caller:
      'Send "Authorization: Bearer <key or token>", or HTTP Basic with the name of the key and the key. Never send Zendesk credentials.',
    operator:
      "Check that the key's digest is in CALLER_KEYS, or that JWT_ISSUER and JWT_AUDIENCE match the token. The log line of the request has the reason.",
  },
  'caller-not-allowed': {
    status: 403,
    title: 'The caller lacks the required scope',
    detail: 'Ask the issuer of your token for the scope that this service requires.',
    retry: 'no',
    meaning: 'The token is valid, but it does not contain the scope that this service requires.',
    caller: 'Request a token with the scope that the www-authenticate header names.',
    operator: 'Grant the scope named by JWT_SCOPE to the client, or correct JWT_SCOPE.',
  },
  'origin-not-allowed': {
    status: 403,
    title: 'This origin may not call the service',
    detail: 'Call from an origin that the operator has allowed, and address the service by its own name.',
    retry: 'no',
    meaning:
      'A browser sent the request from a page whose origin is not allowed, or the Host header was not a name of this service.',
    caller: 'Ask the operator to allow your origin exactly as the browser sends it: scheme, host and port.',
    operator:
      'Add the origin to CORS_ORIGINS. Without caller authentication, address the service as localhost, 127.0.0.1 or [::1], or by the host of PUBLIC_URL.',
  },
  'not-found': {
    status: 404,
    title: 'Nothing exists at this path',
    detail: 'Check the path against the contract of this service.',
    retry: 'no',
    meaning: 'This service has no resource with this path.',
    caller: 'The contract at /openapi.json lists the paths; /docs shows them.',
    operator: 'With DOCS=false, the contract and its pages answer like any unknown path.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'This method is not allowed here',
    detail: 'Use one of the methods named in the Allow header.',
    retry: 'no',
    meaning: 'The path exists, but not with this method.',
    caller:
      'Use a method from the Allow header. HEAD is refused on renewals because it would spend a call to Zendesk.',
    operator: 'Health checks that send HEAD, OPTIONS or POST must send GET to /livez or /readyz instead.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request did not arrive in time',
    detail: 'Send the whole request without pauses.',
    retry: 'later',
    meaning: 'The connection was open, but the request line, the headers or the body arrived too slowly.',
    caller: 'Send the whole request at once. If you did, look for a slow proxy in between.',
    operator:
      'Many of these at a time are an attack with slow senders; the service closes their connections.',
  },
  'request-too-large': {
    status: 413,
    title: 'The request is too large',
    detail: 'Send no body, a shorter URL, or fewer headers.',
    retry: 'no',
    meaning: 'The body (413), the URL (414) or the headers (431) are larger than this service accepts.',
    caller:
      'A renewal needs no body, no query and few headers. A common cause of 431 is cookies that a browser adds.',
    operator: 'If legitimate callers get 431, look for a proxy that adds large headers.',
  },
  'caller-rate-limited': {
    status: 429,
    title: 'The caller exceeded its rate limit',
    detail: 'Wait for the time given in retryAfter, then try again.',
    retry: 'wait',
    meaning: 'This caller, or failed attempts from this address, exceeded the limit for one minute.',
    caller: 'Wait as long as retry-after says. The ratelimit headers of each answer tell what is left.',
    operator: 'Raise CALLER_RATE_PER_MINUTE if the caller really needs more.',
  },
} as const satisfies Record<string, ProblemType>
