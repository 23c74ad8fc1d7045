import { Problem } from '../../problems/problem.js'
import type { CredentialConfig } from '../../config/zendesk.js'
import { IDENTIFY } from '../../zendesk/operation.js'
import type { Identity } from '../../zendesk/judge.js'
import { ask } from '../ask.js'
import { explain, particulars, PERMISSION } from '../explain.js'
import { fail, ok, type Finding } from '../finding.js'
import type { Target } from '../target.js'
import { confirmMistake, oddityOf } from '../usual-mistakes.js'

/** Zendesk knows who we are, and lets us in. */
export async function checkIdentity(target: Target): Promise<Finding[]> {
  const identity = await ask(target, IDENTIFY, target.credentials)
  if (!(identity instanceof Problem)) {
    return [identity.id === null ? await ignored(target) : known(identity)]
  }
  if (identity.code === 'zendesk-credentials-rejected') return [await rejected(identity, target)]
  if (identity.code === 'zendesk-permission-denied') {
    const isOurScope = target.credentialConfig.kind === 'client-credentials'
    return [forbidden(identity, target, isOurScope ? await confirmMistake(target) : undefined)]
  }
  return [explain(identity, target)]
}

/** A 403, of this call or of the renewal. */
export function forbidden(problem: Problem, { credentialConfig }: Target, confirmed?: string): Finding {
  const fix = confirmed ?? permissions[credentialConfig.kind]
  return fail('Zendesk knows us, but does not permit this (403)', fix, particulars(problem))
}

const SCOPE =
  'Check ZENDESK_OAUTH_SCOPE: a misspelled scope still gets a token, but every call with it returns 403; read is enough. If it is right, check the role of the user behind the client, and IP restrictions of the account.'
const TOKEN_SCOPE =
  "The token in ZENDESK_OAUTH_TOKEN needs the scope read (ZENDESK_OAUTH_SCOPE is for client credentials only): issue one with it. If it has it, check the user's role, and IP restrictions of the account."

const permissions = {
  'client-credentials': SCOPE,
  bearer: TOKEN_SCOPE,
  'api-token': PERMISSION,
  password: PERMISSION,
} as const satisfies Record<CredentialConfig['kind'], string>

function known({ id, role }: Identity): Finding {
  return ok(`user ${id ?? ''}, role ${roles.includes(role ?? '') ? (role ?? '') : 'unknown'}`)
}

/** Those that Zendesk documents. Another word is not repeated, since it is not ours. */
const roles = ['end-user', 'agent', 'admin']

async function ignored(target: Target): Promise<Finding> {
  return fail(
    'Zendesk answered 200 as an anonymous user: it ignored the credentials',
    await fixFor(target),
    'Zendesk answers users/me without credentials too; a user without an id is nobody.',
  )
}

async function rejected(problem: Problem, target: Target): Promise<Finding> {
  return fail('Zendesk refuses the credentials (401)', await fixFor(target), particulars(problem))
}

async function fixFor(target: Target): Promise<string> {
  const { credentialConfig } = target
  return (await confirmMistake(target)) ?? oddityOf(credentialConfig) ?? fixes[credentialConfig.kind]
}

const fixes = {
  'client-credentials':
    'The token came from this very account a moment ago: check that the OAuth client and the user behind it are active, and that nothing in between changes the Authorization header.',
  bearer:
    'The token in ZENDESK_OAUTH_TOKEN has expired, was revoked, belongs to another account, or is not an OAuth token: an API token is not a bearer token, it belongs in ZENDESK_API_TOKEN with ZENDESK_EMAIL. Best let the service fetch its tokens: ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET.',
  'api-token':
    'Check that ZENDESK_EMAIL is a verified, active user and ZENDESK_API_TOKEN an active token of this account: unused for 30 days it is deactivated, and none can be created any more. Then move to an OAuth client: ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET.',
  password:
    'Zendesk has switched password access off, so even a correct password is refused: move to an OAuth client, ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET.',
} as const satisfies Record<CredentialConfig['kind'], string>
