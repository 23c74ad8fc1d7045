import { randomBytes } from 'node:crypto'

export interface SandboxCredentials {
  email: string
  password: string
  apiToken: string
  bearerToken: string
  clientId: string
  clientSecret: string
}

/** What the sandbox accepts until a test rotates it. Public, and recognisable as fake in any log. */
export const SANDBOX_CREDENTIALS: Readonly<SandboxCredentials> = {
  email: 'agent@sandbox.example',
  password: 'sandbox-password-not-a-secret',
  apiToken: 'sandbox-api-token-not-a-secret',
  bearerToken: 'sandbox-bearer-token-not-a-secret',
  clientId: 'sandbox-client-id',
  clientSecret: 'sandbox-client-secret-not-a-secret',
}

/** Wrong Basic credentials count as anonymous, which some endpoints allow; all endpoints refuse a wrong bearer token. */
export type Standing = 'known' | 'anonymous' | 'invalid-token' | 'missing-scopes'

/** The account of the help desk: its credentials and the access tokens issued with them. */
export class SandboxAccount {
  readonly credentials: SandboxCredentials = { ...SANDBOX_CREDENTIALS }
  readonly #minted = new Map<string, { scope: string; knownAt: number; expiresAt: number }>()

  standing(authorization: string | undefined): Standing {
    const [, scheme = '', value = ''] = /^(\S+) +(.*)$/.exec(authorization ?? '') ?? []
    if (scheme.toLowerCase() === 'bearer') return this.#bearer(value)
    if (scheme.toLowerCase() === 'basic') return this.#basic(value)
    return 'anonymous'
  }

  /** @param lagMs until the API knows the token. */
  mint(scope: string, lifetimeSeconds: number, lagMs: number): string {
    const token = `sandbox-access-token-${randomBytes(16).toString('hex')}`
    const now = Date.now()
    this.#minted.set(token, { scope, knownAt: now + lagMs, expiresAt: now + lifetimeSeconds * 1000 })
    return token
  }

  revokeTokens(): void {
    this.#minted.clear()
  }

  #bearer(token: string): Standing {
    if (token === this.credentials.bearerToken) return 'known'
    const grant = this.#minted.get(token)
    const now = Date.now()
    if (!grant || grant.knownAt > now || grant.expiresAt <= now) return 'invalid-token'
    const scopes = grant.scope.split(' ')
    return scopes.includes('read') || scopes.includes('users:read') ? 'known' : 'missing-scopes'
  }

  #basic(value: string): Standing {
    const { email, password, apiToken } = this.credentials
    const pair = Buffer.from(value, 'base64').toString()
    return pair === `${email}:${password}` || pair === `${email}/token:${apiToken}` ? 'known' : 'anonymous'
  }
}
