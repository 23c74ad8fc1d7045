import type { CredentialConfig } from '../config/zendesk.js'
import { ZendeskClient } from './client.js'
import { BasicCredentials, BearerToken, type Credentials } from './credentials.js'
import { OAuthTokens } from './oauth-tokens.js'
import { Pace } from './pace.js'
import { Transport, type Exchange } from './transport.js'

/** A client for the account at `origin`. */
export function connectZendesk(settings: ZendeskSettings): ZendeskClient {
  const { origin, timeoutMs, budgetPerMinute, userAgent, observe } = settings
  const transport = new Transport(origin, userAgent, observe)
  const credentials = present(settings.credentials, transport, timeoutMs)
  return new ZendeskClient({ transport, credentials, pace: new Pace(budgetPerMinute), timeoutMs })
}

export interface ZendeskSettings {
  origin: string
  credentials: CredentialConfig
  timeoutMs: number
  budgetPerMinute: number
  userAgent: string
  observe: (exchange: Exchange) => void
}

export function present(config: CredentialConfig, transport: Transport, timeoutMs: number): Credentials {
  switch (config.kind) {
    case 'client-credentials':
      return new OAuthTokens(transport, {
        id: config.clientId,
        secret: config.secret,
        scope: config.scope,
        timeoutMs,
      })
    case 'bearer':
      return new BearerToken(config.secret)
    case 'api-token':
      return new BasicCredentials(`${config.email}/token`, config.secret)
    case 'password':
      return new BasicCredentials(config.email, config.secret)
  }
}
