import type { ProblemType } from './problem-type.js'

/** What is wrong with Zendesk, with the way to it, or with what it thinks of our credentials. */
export const zendeskProblems = {
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
