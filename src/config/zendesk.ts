import { isLoopbackHost } from '../loopback.js'
import type { Secret } from '../secret.js'
import type { Faults } from './faults.js'
import { bearerToken, oneLine, readSecret } from './secrets.js'
import { variables, type Environment } from './variables.js'

/** With what this service proves itself to Zendesk. */
export type CredentialConfig =
  | { kind: 'client-credentials'; clientId: string; secret: Secret; scope: string }
  | { kind: 'bearer'; secret: Secret }
  | { kind: 'api-token'; email: string; secret: Secret }
  | { kind: 'password'; email: string; secret: Secret }

/** The origin to call, without a slash at the end; undefined after a fault. */
export function zendeskOrigin(environment: Environment, faults: Faults): string | undefined {
  const { ZENDESK_SUBDOMAIN: subdomain, ZENDESK_URL: url } = environment
  // A malformed one counts as unset by now, but it is there.
  if (url !== undefined && faults.blames('ZENDESK_SUBDOMAIN'))
    faults.add(['ZENDESK_URL'], 'unset, or ZENDESK_SUBDOMAIN unset')
  if ((subdomain === undefined) === (url === undefined)) {
    faults.say(
      ['ZENDESK_SUBDOMAIN', 'ZENDESK_URL'],
      'Set ZENDESK_SUBDOMAIN (acme for acme.zendesk.com) or ZENDESK_URL (https://acme.zendesk.com), not both.',
    )
    return undefined
  }
  if (url === undefined) return `https://${subdomain ?? ''}.zendesk.com`
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.href !== `${parsed.origin}/`) {
    faults.add(['ZENDESK_URL'], variables.ZENDESK_URL.should)
    return undefined
  }
  if (parsed.protocol === 'http:' && !isLoopbackHost(parsed.hostname) && !environment.ZENDESK_ALLOW_HTTP) {
    faults.add(
      ['ZENDESK_URL'],
      'https, or http on a loopback host (ZENDESK_ALLOW_HTTP=true sends credentials in clear)',
    )
  }
  return parsed.origin
}

/** Exactly one whole kind of credential; undefined after a fault. */
export function zendeskCredentials(environment: Environment, faults: Faults): CredentialConfig | undefined {
  const given = kinds.filter(({ marks }) => marks.some((name) => isGiven(environment, name)))
  const [kind] = given
  if (!kind) {
    faults.say(
      kinds.flatMap(({ needs }) => needs).filter((name, index, all) => all.indexOf(name) === index),
      environment.ZENDESK_EMAIL === undefined ? ONE_KIND : NEEDS_SECRET,
    )
    return undefined
  }
  if (given.length > 1) {
    const several = given.flatMap(({ marks }) => marks).filter((name) => isGiven(environment, name))
    faults.say(several, `Keep one kind of Zendesk credential. These are of several: ${several.join(', ')}.`)
    return undefined
  }
  if (environment.ZENDESK_EMAIL !== undefined && !kind.needs.includes('ZENDESK_EMAIL')) {
    faults.add(['ZENDESK_EMAIL'], 'unset: it goes with ZENDESK_API_TOKEN or ZENDESK_PASSWORD only')
  }
  const marks = kind.marks.filter((name) => isGiven(environment, name))
  for (const name of kind.needs.filter((name) => !isGiven(environment, name))) {
    faults.add([name], `${variables[name].should}; it goes with ${marks.join(', ')}`)
  }
  return kind.read(environment, faults)
}

type Needed = 'ZENDESK_EMAIL' | 'ZENDESK_OAUTH_CLIENT_ID' | Mark
type Mark =
  | 'ZENDESK_OAUTH_CLIENT_ID'
  | 'ZENDESK_OAUTH_CLIENT_SECRET'
  | 'ZENDESK_OAUTH_TOKEN'
  | 'ZENDESK_API_TOKEN'
  | 'ZENDESK_PASSWORD'

interface Kind {
  /** Variables of which one is enough to tell that this kind is meant. */
  marks: Mark[]
  needs: Needed[]
  read: (environment: Environment, faults: Faults) => CredentialConfig | undefined
}

const kinds: Kind[] = [
  {
    marks: ['ZENDESK_OAUTH_CLIENT_ID', 'ZENDESK_OAUTH_CLIENT_SECRET'],
    needs: ['ZENDESK_OAUTH_CLIENT_ID', 'ZENDESK_OAUTH_CLIENT_SECRET'],
    read(environment, faults) {
      const secret = readSecret('ZENDESK_OAUTH_CLIENT_SECRET', environment, faults, oneLine)
      const { ZENDESK_OAUTH_CLIENT_ID: clientId, ZENDESK_OAUTH_SCOPE: scope } = environment
      return secret && clientId !== undefined
        ? { kind: 'client-credentials', clientId, secret, scope }
        : undefined
    },
  },
  {
    marks: ['ZENDESK_OAUTH_TOKEN'],
    needs: ['ZENDESK_OAUTH_TOKEN'],
    read(environment, faults) {
      const secret = readSecret('ZENDESK_OAUTH_TOKEN', environment, faults, bearerToken)
      return secret && { kind: 'bearer', secret }
    },
  },
  {
    marks: ['ZENDESK_API_TOKEN'],
    needs: ['ZENDESK_EMAIL', 'ZENDESK_API_TOKEN'],
    read(environment, faults) {
      const secret = readSecret('ZENDESK_API_TOKEN', environment, faults, oneLine)
      const email = environment.ZENDESK_EMAIL
      return secret && email !== undefined ? { kind: 'api-token', email, secret } : undefined
    },
  },
  {
    marks: ['ZENDESK_PASSWORD'],
    needs: ['ZENDESK_EMAIL', 'ZENDESK_PASSWORD'],
    read(environment, faults) {
      const secret = readSecret('ZENDESK_PASSWORD', environment, faults, oneLine)
      const email = environment.ZENDESK_EMAIL
      return secret && email !== undefined ? { kind: 'password', email, secret } : undefined
    },
  },
]

const ONE_KIND =
  'Set one kind of Zendesk credential: ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET (recommended), or ZENDESK_OAUTH_TOKEN, or ZENDESK_EMAIL and ZENDESK_API_TOKEN, or ZENDESK_EMAIL and ZENDESK_PASSWORD.'
const NEEDS_SECRET =
  'ZENDESK_EMAIL is set without a secret: add ZENDESK_API_TOKEN or ZENDESK_PASSWORD, or unset it and set ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET (recommended).'

function isGiven(environment: Environment, name: Needed): boolean {
  if (environment[name] !== undefined) return true
  return (
    name !== 'ZENDESK_EMAIL' &&
    name !== 'ZENDESK_OAUTH_CLIENT_ID' &&
    environment[`${name}_FILE`] !== undefined
  )
}
