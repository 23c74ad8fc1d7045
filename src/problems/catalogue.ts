/**
 * Every problem this service can report. `status` is the usual HTTP status, `title` is fixed (RFC 9457, section 3.1.4),
 * `detail` tells the reader of one answer what to do next, and the last three are the page at `/problems/{code}`.
 */
export const catalogue = {
  'malformed-request': {
    status: 400,
    title: 'The request cannot be understood',
    detail: 'Correct the request line, the headers or the URL; send one Authorization header at most.',
    meaning:
      'The bytes that arrived are no valid HTTP request, the URL cannot be decoded, or it carried two credentials.',
    caller:
      'Compare the request with the examples in the contract. Sending it again unchanged gives the same answer.',
    operator:
      'A steady trickle is scanners; a flood from one caller is a broken client or a proxy that rewrites requests.',
  },
  'caller-not-authenticated': {
    status: 401,
    title: 'The caller is not authenticated',
    detail: 'Send a valid key or token of this service in the Authorization header.',
    meaning:
      'The request had no credential of this service, or one that is unknown, malformed, expired or removed.',
    caller:
      'Send "Authorization: Bearer <key or token>", or HTTP Basic with the key\'s name and the key. Never send Zendesk credentials.',
    operator:
      "Check that the key's digest is in CALLER_KEYS, or that JWT_ISSUER and JWT_AUDIENCE match the token.",
  },
  'caller-not-allowed': {
    status: 403,
    title: 'The caller is not allowed to do this',
    detail: 'Ask the issuer of your token for the scope that this service requires.',
    meaning: 'The token is genuine, but it does not carry the scope that this service asks for.',
    caller: 'Request a token with the right scope; repeating the call with this one does not help.',
    operator: 'Grant the scope named by JWT_SCOPE to the client, or correct JWT_SCOPE.',
  },
  'origin-not-allowed': {
    status: 403,
    title: 'This origin may not call the service',
    detail: 'Call from an origin that the operator has allowed, and address the service by its own name.',
    meaning:
      'A browser page of an origin that is not on the list asked, or a service that is open on loopback was addressed by another host name.',
    caller: 'Ask the operator to allow your origin, exactly as the browser sends it: scheme, host and port.',
    operator: 'Add the origin to CORS_ORIGINS. In open mode use localhost, 127.0.0.1 or [::1] as the host.',
  },
  'not-found': {
    status: 404,
    title: 'There is nothing at this address',
    detail: 'Check the path against the contract of this service.',
    meaning: 'No resource of this service has this path.',
    caller: 'The paths are listed in the contract at /openapi.json and, for people, at /docs.',
    operator: 'With DOCS=false the contract and its pages are not served, and answer like any unknown path.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'This method is not allowed here',
    detail: 'Use one of the methods named in the Allow header.',
    meaning: 'The path exists, but not with this method.',
    caller:
      'Use a method from the Allow header. HEAD is refused on renewals because it would spend a call to Zendesk.',
    operator: 'Health checks that send HEAD or POST should be pointed at /livez or /readyz with GET.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request did not arrive in time',
    detail: 'Send the whole request without pauses.',
    meaning: 'The connection was open, but the request line, the headers or the body came too slowly.',
    caller: 'Send the request at once. If you did, look for a slow proxy in between.',
    operator: 'Many of these at a time are an attack by slow senders; the service sheds them by itself.',
  },
  'request-too-large': {
    status: 413,
    title: 'The request is too large',
    detail: 'Send no body, a shorter URL, or fewer headers.',
    meaning: 'The body (413), the URL (414) or the headers (431) exceed what a renewal could ever need.',
    caller:
      'A renewal needs no body, no query and few headers. Cookies that a browser adds are a usual cause of 431.',
    operator: 'If honest callers see 431, look for a proxy that adds large headers.',
  },
  'caller-rate-limited': {
    status: 429,
    title: 'The caller asks too often',
    detail: 'Wait for the time given in retryAfter, then ask again.',
    meaning: 'This caller, or failed attempts from this address, used up the allowance for the minute.',
    caller:
      'Wait as told by retry-after. Use a token until it is refused instead of renewing before each use.',
    operator: 'Raise CALLER_RATE_PER_MINUTE if the use is honest.',
  },
  'zendesk-rate-limited': {
    status: 429,
    title: 'Zendesk takes no more requests for now',
    detail: 'Wait for the time given in retryAfter, then ask again.',
    meaning:
      'Zendesk asked us to pause, or the share of its rate limit that this service may use is spent, for longer than this request could wait.',
    caller: 'Wait as told by retry-after. Asking earlier gets the same answer and does not reach Zendesk.',
    operator:
      "See which integrations share the account's limit, and set ZENDESK_BUDGET_PER_MINUTE to the part that is ours.",
  },
  'internal-error': {
    status: 500,
    title: 'This service failed',
    detail: 'Report the requestId to the operator of this service.',
    meaning: 'A bug: something happened that the service has no word for.',
    caller: 'Try once more; if it stays, report the requestId.',
    operator: 'The log line with this requestId holds the place in the code. Please report it.',
  },
  'zendesk-credentials-rejected': {
    status: 502,
    title: 'Zendesk refuses the credentials of this service',
    detail:
      'Your own credentials are fine. Tell the operator that the Zendesk credentials of this service need care.',
    meaning:
      'Zendesk does not accept the credentials that this service holds: wrong, expired, revoked or retired.',
    caller: 'Nothing that you send can change it; tell the operator and try again later.',
    operator:
      'Run the doctor; it names the usual mistakes. Rotate the secret; a secret file is picked up while running.',
  },
  'zendesk-permission-denied': {
    status: 502,
    title: 'Zendesk does not permit this to the service',
    detail: 'Tell the operator that the Zendesk identity of this service lacks a permission.',
    meaning:
      'Zendesk knows the identity of this service, but its role, plan, OAuth scope or network address is not allowed to renew.',
    caller: 'Nothing that you send can change it; tell the operator.',
    operator:
      "Check ZENDESK_OAUTH_SCOPE (a misspelt scope still gives a token), the user's role, and IP restrictions. Run the doctor.",
  },
  'zendesk-blocked': {
    status: 502,
    title: 'The network edge of Zendesk blocks this service',
    detail: 'Tell the operator that the edge in front of Zendesk takes this service for a bot.',
    meaning:
      'The answer was a challenge for browsers from the network in front of Zendesk; Zendesk itself was not reached.',
    caller: 'Try again later and tell the operator.',
    operator: 'Ask Zendesk support to admit the outgoing address of this service.',
  },
  'zendesk-account-not-found': {
    status: 502,
    title: 'There is no Zendesk account at the configured address',
    detail: 'Tell the operator to check the configured Zendesk address.',
    meaning: 'Every name below zendesk.com exists on the network, but no help desk answers at this one.',
    caller: 'Nothing that you send can change it; tell the operator.',
    operator:
      'Correct ZENDESK_SUBDOMAIN or ZENDESK_URL. If the name was wrong, replace the credentials: they were sent there.',
  },
  'zendesk-redirected': {
    status: 502,
    title: 'Zendesk answered with a redirect',
    detail: 'Tell the operator that the configured Zendesk address redirects.',
    meaning: 'Zendesk pointed to another address. It is never followed, since credentials would go there.',
    caller: 'Nothing that you send can change it; tell the operator.',
    operator: "Use the account's own zendesk.com address instead of a host-mapped one.",
  },
  'zendesk-bad-response': {
    status: 502,
    title: 'Zendesk answered with something that is no token',
    detail: 'Try again; if it stays, report the requestId to the operator.',
    meaning: 'The answer was cut off, too large, not decodable, not HTTP, or held no token.',
    caller: 'Try again after a moment.',
    operator:
      'Check that ZENDESK_URL leads to Zendesk itself, and look for a proxy in between that rewrites answers.',
  },
  'zendesk-error': {
    status: 502,
    title: 'Zendesk answered with an error',
    detail: 'Try again after a moment; if it stays, report the requestId to the operator.',
    meaning: 'Zendesk answered with a status that has no problem type of its own; zendesk.status holds it.',
    caller: 'Try again after a moment.',
    operator: 'Give zendesk.requestId to Zendesk support.',
  },
  'zendesk-untrusted': {
    status: 502,
    title: 'The identity of Zendesk cannot be verified',
    detail:
      'Tell the operator that the certificate at the Zendesk address does not verify. Nothing was sent to it.',
    meaning:
      'The certificate presented for Zendesk is expired, for another name, or of an unknown authority.',
    caller: 'Try again later and tell the operator.',
    operator:
      'If a proxy of your own opens TLS, name its authority in NODE_EXTRA_CA_CERTS. Otherwise suspect an attack.',
  },
  'identity-provider-unavailable': {
    status: 503,
    title: 'The issuer of the token cannot be reached',
    detail: 'Your token could not be checked. Try again after a moment.',
    meaning: "The keys that verify the caller's token could not be fetched from its issuer.",
    caller: 'Try again after a moment with the same token.',
    operator: 'Check that JWT_ISSUER and JWT_JWKS_URL can be reached from here.',
  },
  'zendesk-unavailable': {
    status: 503,
    title: 'Zendesk is not available',
    detail: 'Try again after the time given in retryAfter, or after a moment where it is absent.',
    meaning:
      'Zendesk cannot be reached, says that it is down, or has failed so often that it is left alone for a moment.',
    caller: 'Wait as told by retry-after, then try again.',
    operator: "Look at Zendesk's status page and at the network from here. The service recovers by itself.",
  },
  'service-unavailable': {
    status: 503,
    title: 'This service takes no request right now',
    detail: 'Try again after the time given in retryAfter.',
    meaning: 'This instance is starting, shutting down or overloaded.',
    caller: 'Try again after a moment; another instance may answer.',
    operator: 'Normal during a deployment. If it stays, add replicas.',
  },
  'zendesk-timeout': {
    status: 504,
    title: 'Zendesk did not answer in time',
    detail: 'Try again after a moment.',
    meaning:
      'The time for this renewal was over before Zendesk had answered it in full, or Zendesk itself reported a timeout.',
    caller: 'Try again after a moment.',
    operator: 'If it stays, compare ZENDESK_TIMEOUT_MS with the times in the log.',
  },
} as const satisfies Record<string, ProblemType>

export type ProblemCode = keyof typeof catalogue

export interface ProblemType {
  status: number
  title: string
  detail: string
  meaning: string
  caller: string
  operator: string
}
