/**
 * Every problem type of this service. `status` is the usual HTTP status, `title` is fixed (RFC 9457, section 3.1.4),
 * `detail` tells the reader of one answer what to do next, `retry` says whether the same request can succeed later:
 * 'wait' (after retry-after), 'later' (after a moment) or 'no'. The last three texts are the page at `/problems/{code}`.
 */
export const catalogue = {
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
  'zendesk-rate-limited': {
    status: 429,
    title: 'Zendesk is rate-limiting this service',
    detail: 'Wait for the time given in retryAfter, then try again.',
    retry: 'wait',
    meaning:
      'Zendesk asked this service to pause, or its budget of calls is spent, for longer than the deadline of this request.',
    caller:
      'Wait as long as retry-after says. An earlier request gets the same answer and does not reach Zendesk.',
    operator:
      "See which integrations share the account's rate limit, and set ZENDESK_BUDGET_PER_MINUTE to the share of this service.",
  },
  'internal-error': {
    status: 500,
    title: 'This service failed',
    detail: 'Report the requestId to the operator of this service.',
    retry: 'later',
    meaning: 'The service has a bug.',
    caller: 'Try once more. If it happens again, report the requestId.',
    operator: 'The log line with this requestId names the place in the code. Please report it.',
  },
  'zendesk-credentials-rejected': {
    status: 502,
    title: 'Zendesk rejected the credentials of this service',
    detail:
      'Your own credentials are fine. Tell the operator that the Zendesk credentials of this service need attention.',
    retry: 'no',
    meaning:
      'Zendesk does not accept the credentials of this service: they are wrong, expired, revoked or retired.',
    caller: 'You cannot fix this. Tell the operator and try again later.',
    operator:
      'Run the doctor; it names the usual mistakes. Rotate the secret; a changed secret file takes effect without a restart.',
  },
  'zendesk-permission-denied': {
    status: 502,
    title: 'Zendesk denied permission to this service',
    detail: 'Tell the operator that the Zendesk identity of this service lacks a permission.',
    retry: 'no',
    meaning:
      'Zendesk accepts the credentials of this service, but their role, plan, OAuth scope or network address does not allow this call.',
    caller: 'You cannot fix this. Tell the operator.',
    operator:
      "Check ZENDESK_OAUTH_SCOPE (a misspelled scope still gets a token, but every call with it returns 403), the user's role, and IP restrictions. Run the doctor.",
  },
  'zendesk-blocked': {
    status: 502,
    title: 'The network in front of Zendesk blocks this service',
    detail: 'Tell the operator that the network in front of Zendesk blocks this service.',
    retry: 'no',
    meaning:
      'Cloudflare, in front of Zendesk, refused or challenged the request. It did not reach Zendesk itself.',
    caller: 'You cannot fix this. Tell the operator and try again later.',
    operator: 'Ask Zendesk support to admit the outgoing address of this service.',
  },
  'zendesk-account-not-found': {
    status: 502,
    title: 'No Zendesk account exists at the configured address',
    detail: 'Tell the operator to check the configured Zendesk address.',
    retry: 'no',
    meaning: 'Every name below zendesk.com resolves, but no help desk answers at this one.',
    caller: 'You cannot fix this. Tell the operator.',
    operator:
      'Correct ZENDESK_SUBDOMAIN or ZENDESK_URL. If the name was wrong, replace the credentials: they were sent there.',
  },
  'zendesk-redirected': {
    status: 502,
    title: 'Zendesk answered with a redirect',
    detail: 'Tell the operator that the configured Zendesk address redirects.',
    retry: 'no',
    meaning:
      'Zendesk answered with a redirect. This service never follows one, because the credentials would go to the new address.',
    caller: 'You cannot fix this. Tell the operator.',
    operator: "Use the account's own zendesk.com address instead of a host-mapped one.",
  },
  'zendesk-bad-response': {
    status: 502,
    title: "Zendesk's answer could not be used",
    detail: 'Try again. If it happens again, report the requestId to the operator.',
    retry: 'later',
    meaning:
      'The answer was truncated, too large, not decodable or not HTTP, or it lacked the expected fields.',
    caller: 'Try again after a moment.',
    operator:
      'Check that ZENDESK_URL leads to Zendesk itself, and look for a proxy in between that rewrites answers.',
  },
  'zendesk-error': {
    status: 502,
    title: 'Zendesk answered with an error',
    detail: 'Try again after a moment. If it happens again, report the requestId to the operator.',
    retry: 'later',
    meaning:
      'Zendesk answered with a status that has no problem type of its own; zendesk.status tells which.',
    caller: 'Try again after a moment.',
    operator: 'Give zendesk.requestId to Zendesk support.',
  },
  'zendesk-untrusted': {
    status: 502,
    title: 'The certificate of Zendesk could not be verified',
    detail:
      'Tell the operator that the certificate at the Zendesk address does not verify. No credentials were sent.',
    retry: 'no',
    meaning:
      'The certificate presented for Zendesk is expired, for another name, or from an unknown authority.',
    caller: 'You cannot fix this. Tell the operator and try again later.',
    operator:
      'If your own proxy inspects TLS, name its authority in NODE_EXTRA_CA_CERTS. Otherwise suspect an attack.',
  },
  'identity-provider-unavailable': {
    status: 503,
    title: 'The identity provider is not available',
    detail: 'Your token could not be checked. Try again after the time given in retryAfter.',
    retry: 'wait',
    meaning: 'The keys that verify the token could not be fetched from its issuer.',
    caller: 'Try again after a moment with the same token.',
    operator:
      'Check that this service can reach JWT_ISSUER and JWT_JWKS_URL, and that the keys there are usable.',
  },
  'zendesk-unavailable': {
    status: 503,
    isTransient: true,
    isOutage: true,
    title: 'Zendesk is not available',
    detail: 'Try again after the time given in retryAfter, or after a moment if it is absent.',
    retry: 'wait',
    meaning:
      'Zendesk cannot be reached or reports an outage, or it kept failing and the circuit breaker is open.',
    caller: 'Wait as long as retry-after says, then try again.',
    operator:
      "Look at Zendesk's status page and at the network between this service and Zendesk; errorCode in the log tells what failed (PROXY_…: the forward proxy). The service recovers by itself.",
  },
  'service-unavailable': {
    status: 503,
    title: 'This service is not accepting requests right now',
    detail: 'Try again after the time given in retryAfter.',
    retry: 'wait',
    meaning: 'This instance is starting, shutting down or overloaded.',
    caller: 'Try again after a moment; another instance may answer.',
    operator: 'Expected during a deployment. If it continues, add replicas.',
  },
  'zendesk-timeout': {
    status: 504,
    isOutage: true,
    title: 'Zendesk did not answer in time',
    detail: 'Try again after a moment.',
    retry: 'later',
    meaning:
      'The deadline of the request passed before Zendesk had answered in full, or Zendesk reported a timeout of its own.',
    caller: 'Try again after a moment.',
    operator: 'If it continues, compare ZENDESK_TIMEOUT_MS with the durations in the log.',
  },
} as const satisfies Record<string, ProblemType>

export type ProblemCode = keyof typeof catalogue

export interface ProblemType {
  status: number
  title: string
  detail: string
  retry: 'wait' | 'later' | 'no'
  meaning: string
  caller: string
  operator: string
  /** Whether it may pass by itself within moments, so that this service tries again. Absent: no. */
  isTransient?: boolean
  /** Whether it means that Zendesk is down or cannot be reached, which opens the circuit breaker. Absent: no. */
  isOutage?: boolean
}
