import { Problem } from '../problems/problem.js'
import { RENEW } from '../zendesk/client.js'
import { judgeRenewal } from '../zendesk/judge.js'
import { ask } from './ask.js'
import { explain } from './explain.js'
import { ok, type Finding } from './finding.js'
import { forbidden } from './identity.js'
import type { Patient } from './patient.js'

/** What the service is there for. The token is measured, never shown. */
export async function checkRenewal(patient: Patient): Promise<Finding[]> {
  const token = await ask(patient, RENEW, judgeRenewal, patient.credentials)
  if (!(token instanceof Problem)) return [ok(`a token of ${token.length} characters came`)]
  return [token.code === 'zendesk-permission-denied' ? forbidden(token, patient) : explain(token, patient)]
}
