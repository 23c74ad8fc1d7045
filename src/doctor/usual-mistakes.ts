import { Problem } from '../problems/problem.js'
import type { CredentialConfig } from '../config/zendesk.js'
import { IDENTIFY } from '../zendesk/operation.js'
import { credentialsFrom } from '../zendesk/connect.js'
import { ask } from './ask.js'
import type { Target } from './target.js'

/** How to fix the mistake that is usual with this kind of credential, if one try shows that it was made. */
export async function confirmMistake(target: Target): Promise<string | undefined> {
  const mistake = usualMistake(target.credentialConfig)
  if (!mistake) return undefined
  const { transport, timeoutMs } = target
  const meant = credentialsFrom(mistake.meant, (call) => transport.exchange(call), timeoutMs)
  const identity = await ask(target, IDENTIFY, meant)
  return identity instanceof Problem || identity.id === null ? undefined : mistake.fix
}

function usualMistake(config: CredentialConfig): { meant: CredentialConfig; fix: string } | undefined {
  switch (config.kind) {
    case 'password':
      return { meant: { ...config, kind: 'api-token' }, fix: IS_API_TOKEN }
    case 'api-token':
      return { meant: { ...config, kind: 'password' }, fix: IS_PASSWORD }
    case 'client-credentials':
      return config.scope === 'read' ? undefined : { meant: { ...config, scope: 'read' }, fix: WRONG_SCOPE }
    case 'bearer':
      return undefined
  }
}

const IS_API_TOKEN =
  'The value of ZENDESK_PASSWORD is an API token: give it in ZENDESK_API_TOKEN instead. The service then adds the /token that Zendesk wants behind the e-mail address.'
const IS_PASSWORD =
  'The value of ZENDESK_API_TOKEN is the password of that user: give it in ZENDESK_PASSWORD instead, or better, move to an OAuth client.'
const WRONG_SCOPE =
  'Set ZENDESK_OAUTH_SCOPE to read: with that scope this very client works. The present one is misspelled or too narrow.'

/** What looks wrong with the value of the secret, told without showing it. */
export function oddityOf({ secret }: CredentialConfig): string | undefined {
  const { name } = secret
  const value = secret.reveal()
  const decoded = Buffer.from(value, 'base64').toString('latin1')
  if (value.trim() !== value) return `Take the blank away with which the value of ${name} begins or ends.`
  if (/^(["']).*\1$/.test(value))
    return `Take away the quotation marks around the value of ${name}: they are sent along.`
  if (value.includes('/token:') || decoded.includes('/token:'))
    return `Give the token alone in ${name}: it holds the e-mail address and /token as well, which the service adds by itself.`
  return undefined
}
