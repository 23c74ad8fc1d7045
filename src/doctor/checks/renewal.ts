import { Problem } from '../../problems/problem.js'
import { RENEW } from '../../zendesk/operation.js'
import { ask } from '../ask.js'
import { explain } from '../explain.js'
import { ok, type Finding } from '../finding.js'
import { forbidden } from './identity.js'
import type { Target } from '../target.js'

/** What the service is there for. The token is measured, never shown. */
export async function checkRenewal(target: Target): Promise<Finding[]> {
  const token = await ask(target, RENEW, target.credentials)
  if (!(token instanceof Problem)) return [ok(`a token of ${token.length} characters came`)]
  return [token.code === 'zendesk-permission-denied' ? forbidden(token, target) : explain(token, target)]
}
