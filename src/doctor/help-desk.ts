import { Problem } from '../problems/problem.js'
import { IDENTIFY } from '../zendesk/operation.js'
import { ask } from './ask.js'
import { explain } from './explain.js'
import { ok, warn, type Finding } from './finding.js'
import type { Target } from './target.js'

/** Is there a help desk at all? Asked without credentials, so that a misspelt address does not learn them. */
export async function checkHelpDesk(target: Target): Promise<Finding[]> {
  const identity = await ask(target, IDENTIFY, undefined)
  if (!(identity instanceof Problem))
    return [identity.id === null ? ok(PRESENT) : warn(INJECTED, INJECTED_MEND)]
  switch (identity.code) {
    case 'zendesk-credentials-rejected':
    case 'zendesk-permission-denied':
      return [ok(PRESENT)]
    case 'zendesk-redirected':
    case 'zendesk-bad-response':
    case 'zendesk-error':
      // Go on whatever Zendesk answers without credentials: the checks with credentials decide.
      return [isMarked(target) ? ok(PRESENT) : explain(identity, target)]
    default:
      return [explain(identity, target)]
  }
}

/** Whether the answer bears one of the headers that only Zendesk sends. */
function isMarked({ transport }: Target): boolean {
  const { headers = {} } = transport.lastAnswer('identify') ?? {}
  return Object.keys(headers).some((name) => name.startsWith('x-zendesk-'))
}

const PRESENT = 'there is one at this address'
const INJECTED = 'it knows us although no credentials were sent'
const INJECTED_MEND =
  'Something in between adds credentials of its own, so that the next checks prove nothing about ours. Connect to Zendesk itself.'
