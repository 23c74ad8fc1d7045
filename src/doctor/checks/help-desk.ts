import { Problem } from '../../problems/problem.js'
import { IDENTIFY } from '../../zendesk/operation.js'
import { ask } from '../ask.js'
import { explain, particulars } from '../explain.js'
import { fail, ok, warn, type Finding } from '../finding.js'
import type { Target } from '../target.js'
import { probeTls } from '../tls-probe.js'

/** Whether Zendesk answers here. Asked without credentials, because a failure ends the examination before they are sent. */
export async function checkHelpDesk(target: Target): Promise<Finding[]> {
  const identity = await ask(target, IDENTIFY, undefined)
  if (!(identity instanceof Problem))
    return [identity.id === null ? ok(PRESENT) : warn(INJECTED, INJECTED_FIX)]
  // How Zendesk answers without credentials does not matter: the checks with credentials will tell.
  if (mayAnswerAnonymous(identity) && isMarked(target)) return [ok(PRESENT)]
  return [(await notZendesk(identity, target)) ?? explain(identity, target)]
}

/** What Zendesk may answer to a request without credentials, and many others may answer too. */
function mayAnswerAnonymous({ code }: Problem): boolean {
  return [
    'zendesk-credentials-rejected',
    'zendesk-permission-denied',
    'zendesk-redirected',
    'zendesk-bad-response',
    'zendesk-error',
  ].includes(code)
}

/** Whether the answer has one of the headers that only Zendesk sends. */
function isMarked({ transport }: Target): boolean {
  const { headers = {} } = transport.lastAnswer('identify') ?? {}
  return Object.keys(headers).some((name) => name.startsWith('x-zendesk-'))
}

async function notZendesk(problem: Problem, target: Target): Promise<Finding | undefined> {
  const seen = particulars(problem)
  if (isMarked(target)) return undefined
  const { speaksTls, alert } = await probeTls(target)
  if (speaksTls && target.origin.protocol === 'http:')
    return fail('this port speaks TLS, but ZENDESK_URL says http', 'Write https:// in ZENDESK_URL.', seen)
  if (/ALERT_CERTIFICATE_REQUIRED$/.test(alert ?? ''))
    return fail('a gateway in between asks for a client certificate', CLIENT_CERTIFICATE, seen)
  switch (problem.code) {
    case 'zendesk-redirected':
    case 'zendesk-bad-response':
      return (
        problem.zendesk &&
        fail('the answer is not from Zendesk: a captive portal or login page?', PORTAL, seen)
      )
    case 'zendesk-credentials-rejected':
    case 'zendesk-permission-denied':
      return fail('the refusal is not from Zendesk: none of its headers is present', GATEWAY, seen)
    default:
      return undefined
  }
}

const PRESENT = 'Zendesk answers at this address'
const INJECTED = 'Zendesk recognises a user although no credentials were sent'
const INJECTED_FIX =
  'Something in between adds credentials, so the next checks prove nothing about ours. Connect to Zendesk directly.'
const CLIENT_CERTIFICATE =
  'Zendesk asks for none: a gateway intercepts TLS. Let this machine reach Zendesk past it. No credential was sent.'
const PORTAL =
  'Allow this machine to reach Zendesk without signing in to the network first, and check ZENDESK_URL. No credential was sent.'
const GATEWAY =
  'A proxy, firewall or gateway in between refuses the request, or ZENDESK_URL names another service. Allow this machine to reach Zendesk. No credential was sent.'
