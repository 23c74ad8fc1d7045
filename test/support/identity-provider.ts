import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose'
import Provider from 'oidc-provider'
import type { Test } from 'tap'

export const AUDIENCE = 'https://proxy.example.test'

/** An OpenID provider on this machine: oidc-provider, with one client that gets JWT access tokens for our audience. */
export class IdentityProvider {
  /** Paths that were asked for, in order. */
  readonly requests: string[] = []
  issuer = ''
  #port = 0
  #server: Server | undefined
  #provider: Provider | undefined
  #key: SigningKey | undefined

  static async start(t: Test): Promise<IdentityProvider> {
    const provider = new IdentityProvider()
    await provider.listen()
    await provider.rotate()
    t.teardown(() => provider.kill())
    return provider
  }

  /** On the same port as before, so that it is the same issuer. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      this.requests.push(request.url ?? '')
      this.#provider?.callback()(request, response)
    })
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (server.address() as AddressInfo).port
    this.issuer = `http://127.0.0.1:${this.#port}`
    this.#server = server
  }

  async kill(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }

  /** A new signing key; the old one is gone at once. */
  async rotate(): Promise<void> {
    this.#key = await makeSigningKey()
    const { jwk } = this.#key
    this.#provider = new Provider(this.issuer, configuration(jwk))
  }

  /** A client-credentials token from the token endpoint (RFC 6749, section 4.4). */
  async fetchToken(scope = 'renew'): Promise<string> {
    const response = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from('frontend:not-a-secret').toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: AUDIENCE, scope }),
    })
    const { access_token: token } = (await response.json()) as { access_token?: string }
    if (token === undefined) throw new Error(`no token: ${response.status}`)
    return token
  }

  /** Any token at all, signed with the provider's present key unless another is given. */
  async sign(
    claims: JWTPayload = {},
    { key = this.#key, without, typ }: { key?: SigningKey | undefined; without?: string; typ?: string } = {},
  ): Promise<string> {
    if (!key) throw new Error('no key yet')
    const all = Object.entries({ ...this.claims(), ...claims }).filter(([name]) => name !== without)
    return new SignJWT(Object.fromEntries(all))
      .setProtectedHeader({ alg: 'ES256', kid: key.jwk.kid ?? '', ...(typ !== undefined && { typ }) })
      .sign(key.privateKey)
  }

  claims(): JWTPayload {
    const now = Math.floor(Date.now() / 1000)
    return { iss: this.issuer, aud: AUDIENCE, sub: 'user-1', scope: 'renew', iat: now, exp: now + 300 }
  }

  /** The public part of the present key. */
  get publicJwk(): JWK {
    const { kty, crv, x, y, kid } = this.#key?.jwk ?? {}
    return { kty, crv, x, y, kid } as JWK
  }
}

export interface SigningKey {
  privateKey: CryptoKey
  /** With the private part. */
  jwk: JWK
}

let made = 0

export async function makeSigningKey(kid = `key-${(made += 1)}`, alg = 'ES256'): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  return { privateKey, jwk: { ...(await exportJWK(privateKey)), kid, use: 'sig', alg } }
}

function configuration(jwk: JWK): Record<string, unknown> {
  return {
    jwks: { keys: [jwk] },
    ttl: { ClientCredentials: 300 },
    cookies: { keys: ['not-a-secret'] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    scopes: ['renew', 'other'],
    clients: [
      {
        client_id: 'frontend',
        client_secret: 'not-a-secret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: 'renew other',
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  }
}
