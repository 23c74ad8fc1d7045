import { Problem } from '../../problems/problem.js'
import { judgeToken } from '../../zendesk/judge.js'
import { within } from '../ask.js'
import { explain, particulars } from '../explain.js'
import { fail, ok, warn, type Finding } from '../finding.js'
import type { Target } from '../target.js'
import { confirmMistake, oddityOf } from '../usual-mistakes.js'

/** The token endpoint gives an access token to our OAuth client. */
export async function checkToken(target: Target): Promise<Finding[]> {
  const { credentialConfig, credentials, timeoutMs } = target
  if (credentialConfig.kind !== 'client-credentials') return []
  const authorization = await within(timeoutMs, (deadline) => credentials.authorization(deadline))
  if (!(authorization instanceof Problem)) return [tokenCame(target)]
  if (authorization.code !== 'zendesk-credentials-rejected') return [explain(authorization, target)]
  return [await refused(authorization, target)]
}

function tokenCame({ transport }: Target): Finding {
  const answer = transport.lastAnswer('token')
  const token = answer && judgeToken(answer)
  const seconds = token instanceof Problem ? undefined : token?.lifetimeSeconds
  if (seconds === undefined) return ok('an access token came; Zendesk does not say how long it lives')
  const title = `an access token came; it lives ${duration(seconds)}`
  return seconds >= 60
    ? ok(title)
    : warn(title, 'Nearly every renewal will need a token of its own: ask Zendesk why.')
}

/** RFC 6749, section 5.2: 401 is invalid_client; invalid_scope, invalid_grant and others are 400. */
async function refused(problem: Problem, target: Target): Promise<Finding> {
  const seen = particulars(problem)
  if (problem.zendesk?.status === 401) {
    const fix = oddityOf(target.credentialConfig) ?? CLIENT
    return fail('the token endpoint does not accept the OAuth client (invalid_client)', fix, seen)
  }
  const mistake = await confirmMistake(target)
  if (mistake !== undefined)
    return fail('the token endpoint refuses the scope (invalid_scope)', mistake, seen)
  return fail('the token endpoint refuses the request (invalid_scope, invalid_grant …)', GRANT, seen)
}

const CLIENT =
  'Compare ZENDESK_OAUTH_CLIENT_ID (the identifier of the client, not its name) and ZENDESK_OAUTH_CLIENT_SECRET with the OAuth client in Admin Center. A secret is shown in full only when it is made: if in doubt, make a new one.'
const GRANT =
  'Check that the OAuth client in Admin Center is a confidential one, and that ZENDESK_OAUTH_SCOPE names scopes that exist, e.g. read.'

function duration(seconds: number): string {
  return seconds < 120 ? `${seconds} seconds` : `${Math.floor(seconds / 60)} minutes`
}
