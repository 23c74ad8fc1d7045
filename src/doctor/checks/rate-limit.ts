import { rateLimitOf } from '../../zendesk/rate-limit.js'
import { ok, warn, type Finding } from '../finding.js'
import type { Target } from '../target.js'

/** Our budget beside the limit that all integrations of the account share, as told by the last answer. */
export function checkRateLimit({ transport, budgetPerMinute }: Target): Finding[] {
  const answer = transport.lastAnswer('identify')
  if (!answer) return []
  const told = rateLimitOf(answer)
  if (!told && answer.status !== 200) return []
  if (!told) return [ok(NOT_TOLD, `Our part, ZENDESK_BUDGET_PER_MINUTE, is ${budget(budgetPerMinute)}.`)]
  const { limit, remaining } = told
  const title = `${limit} calls a minute for the whole account, ${remaining} left; our part is ${budget(budgetPerMinute)}`
  const findings = [compare(title, limit, budgetPerMinute)]
  if (remaining < limit / 10) findings.push(warn(NEARLY_SPENT, OTHERS))
  return findings
}

function compare(title: string, limit: number, budgetPerMinute: number): Finding {
  const half = Math.max(Math.floor(limit / 2), 1)
  const fix = `Set ZENDESK_BUDGET_PER_MINUTE to ${half} or less: other integrations need the rest.`
  if (budgetPerMinute === 0 || budgetPerMinute > limit / 2) return warn(title, fix)
  return ok(title)
}

const NOT_TOLD = 'Zendesk sends no rate-limit headers here; a plan allows 200 to 2500 calls a minute'
const NEARLY_SPENT = 'less than a tenth of the limit is left in this minute'
const OTHERS = 'See which other integrations of this account call so often: they and we are refused together.'

function budget(perMinute: number): string {
  return perMinute === 0 ? 'without bound' : String(perMinute)
}
