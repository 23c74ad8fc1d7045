import { Problem } from '../problems/problem.js'
import type { CredentialConfig } from '../config/zendesk.js'
import { IDENTIFY } from '../zendesk/client.js'
import { judgeIdentity, type Identity } from '../zendesk/judge.js'
import { ask } from './ask.js'
import { explain, particulars, PERMISSION } from './explain.js'
import { fail, ok, type Finding } from './finding.js'
import type { Patient } from './patient.js'
import { confirmMistake, oddityOf } from './usual-mistakes.js'

/** Zendesk knows who we are, and lets us in. */
export async function checkIdentity(patient: Patient): Promise<Finding[]> {
  const identity = await ask(patient, IDENTIFY, judgeIdentity, patient.credentials)
  if (!(identity instanceof Problem)) {
    return [identity.id === null ? await ignored(patient) : known(identity)]
  }
  if (identity.code === 'zendesk-credentials-rejected') return [await rejected(identity, patient)]
  if (identity.code === 'zendesk-permission-denied') {
    const isOurScope = patient.credentialConfig.kind === 'client-credentials'
    return [forbidden(identity, patient, isOurScope ? await confirmMistake(patient) : undefined)]
  }
  return [explain(identity, patient)]
}

/** A 403, of this call or of the renewal. */
export function forbidden(problem: Problem, { credentialConfig }: Patient, confirmed?: string): Finding {
  const mend = confirmed ?? permissions[credentialConfig.kind]
  return fail('Zendesk knows us, but does not permit this (403)', mend, particulars(problem))
}

const SCOPE =
  'Check ZENDESK_OAUTH_SCOPE: a misspelt scope still gives a token, and every call with it is a 403; read is enough. If it is right, check the role of the user behind the client, and IP restrictions of the account.'
const TOKEN_SCOPE =
  "The token in ZENDESK_OAUTH_TOKEN needs the scope read (ZENDESK_OAUTH_SCOPE is for client credentials only): have one minted with it. If it has it, check the user's role, and IP restrictions of the account."

const permissions = {
  'client-credentials': SCOPE,
  bearer: TOKEN_SCOPE,
  'api-token': PERMISSION,
  password: PERMISSION,
} as const satisfies Record<CredentialConfig['kind'], string>

function known({ id, role }: Identity): Finding {
  return ok(`user ${id ?? ''}, role ${roles.includes(role ?? '') ? (role ?? '') : 'not told'}`)
}

/** Those that Zendesk documents. Another word is not repeated, since it is not ours. */
const roles = ['end-user', 'agent', 'admin']

async function ignored(patient: Patient): Promise<Finding> {
  return fail(
    'Zendesk answers 200, but as to a stranger: it ignored the credentials',
    await cure(patient),
    'users/me is answered for anybody; a user without id means that nobody was recognised.',
  )
}

async function rejected(problem: Problem, patient: Patient): Promise<Finding> {
  return fail('Zendesk refuses the credentials (401)', await cure(patient), particulars(problem))
}

async function cure(patient: Patient): Promise<string> {
  const { credentialConfig } = patient
  return (await confirmMistake(patient)) ?? oddityOf(credentialConfig) ?? cures[credentialConfig.kind]
}

const cures = {
  'client-credentials':
    'The token came from this very account a moment ago: check that the OAuth client and the user behind it are active, and that nothing in between changes the Authorization header.',
  bearer:
    'The token in ZENDESK_OAUTH_TOKEN is expired, revoked, of another account, or no OAuth token at all: an API token is no bearer token, it goes into ZENDESK_API_TOKEN with ZENDESK_EMAIL. Best let the service fetch its tokens: ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET.',
  'api-token':
    'Check that ZENDESK_EMAIL is a verified, active user and ZENDESK_API_TOKEN an active token of this account: unused for 30 days it is deactivated, and none can be created any more. Then move to an OAuth client: ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET.',
  password:
    'Zendesk has switched password access off, so that even the right one is refused: move to an OAuth client, ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET.',
} as const satisfies Record<CredentialConfig['kind'], string>
