import type { ProblemType } from './problem-type.js'

/** What is wrong with this service, or with the identity provider that it depends on. */
export const serviceProblems = {
  'internal-error': {
    status: 500,
    title: 'This service failed',
    detail: 'Report the requestId to the operator of this service.',
    retry: 'later',
    meaning: 'The service has a bug.',
    caller: 'Try once more. If it happens again, report the requestId.',
    operator: 'The log line with this requestId names the place in the code. Please report it.',
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
  'service-unavailable': {
    status: 503,
    title: 'This service is not accepting requests right now',
    detail: 'Try again after the time given in retryAfter.',
    retry: 'wait',
    meaning: 'This instance is starting, shutting down or overloaded.',
    caller: 'Try again after a moment; another instance may answer.',
    operator: 'Expected during a deployment. If it continues, add replicas.',
  },
} as const satisfies Record<string, ProblemType>
