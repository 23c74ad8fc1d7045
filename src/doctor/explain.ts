import { catalogue } from '../problems/catalogue.js'
import { placeOf } from '../log/error-place.js'
import type { Problem } from '../problems/problem.js'
import { fail, type Finding } from './finding.js'
import type { Target } from './target.js'

/** What a problem of any call means, and how to fix it; the checks of the credentials say more where those are to blame. */
export function explain(problem: Problem, { timeoutMs }: Target): Finding {
  const { title, meaning, operator } = catalogue[problem.code]
  const seen = particulars(problem)
  switch (problem.code) {
    case 'zendesk-credentials-rejected':
      return fail('Zendesk refuses the credentials that it accepted a moment ago', again(problem), seen)
    case 'zendesk-permission-denied':
      return fail('Zendesk does not permit this (403)', PERMISSION, seen)
    case 'zendesk-rate-limited':
      return fail(`Zendesk says 429: wait ${problem.retryAfter ?? 0} seconds`, WAIT, seen)
    case 'zendesk-timeout':
      if (problem.zendesk) return fail('Zendesk itself reports a timeout', again(problem), seen)
      return fail(`no answer within ${timeoutMs} ms`, SLOW)
    case 'zendesk-account-not-found':
      return fail(title, WRONG_ADDRESS, `${meaning}\n${seen}`)
    case 'zendesk-blocked':
      return fail('Cloudflare, in front of Zendesk, refuses or challenges us', operator, seen)
    case 'zendesk-bad-response':
      return fail('the answer is cut off, too large, undecodable, or none that Zendesk gives', operator, seen)
    case 'zendesk-unavailable':
      return fail(title, operator, seen)
    case 'zendesk-redirected':
    case 'zendesk-untrusted':
      return fail(title, operator, `${meaning}\n${seen}`)
    default:
      // The other texts name members of a problem document, which the reader of this report does not see.
      return fail(title, again(problem), seen)
  }
}

export const PERMISSION =
  'Check the role of this user, the plan of the account, and its IP restrictions: the outgoing address of this machine must be allowed.'

const WAIT =
  'Wait that long and run the doctor again. If it stays, other integrations use up the limit that all of the account share.'
const SLOW =
  "Look at Zendesk's status page and at the network from here. If Zendesk is merely slow, raise ZENDESK_TIMEOUT_MS."
const WRONG_ADDRESS =
  'Correct ZENDESK_SUBDOMAIN or ZENDESK_URL. If the service has run with this address, its credentials were delivered there: replace them.'

function again({ zendesk }: Problem): string {
  const support = zendesk?.requestId === undefined ? '' : ', and give the x-request-id to its support'
  return `Run the doctor again in a minute; if it stays, look at Zendesk's status page${support}.`
}

/** The status and the request id for Zendesk's support, or the code of the error that kept an answer from coming. */
export function particulars({ zendesk, cause }: Problem): string {
  if (!zendesk) return placeOf(cause).errorCode ?? ''
  const { status, requestId } = zendesk
  return `status ${status}${requestId === undefined ? '' : `, x-request-id ${requestId}`}`
}
