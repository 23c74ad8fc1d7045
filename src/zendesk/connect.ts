import type { CredentialConfig } from '../config/zendesk.js'
import { ZendeskClient } from './client.js'
import { BasicCredentials, BearerToken, type Credentials } from './credentials.js'
import { OAuthTokens } from './oauth-tokens.js'
import { Pace, type Wait } from './pace.js'
import { LocalSchedule, spreadOf, type Schedule } from './schedule.js'
import { SharedSchedule, type SharedStore } from './shared-schedule.js'
import { Transport, type Exchange } from './transport.js'

/** A client for the account at `origin`. */
export function connectZendesk(settings: ZendeskSettings): ZendeskClient {
  const { origin, timeoutMs, userAgent, observe, observeWait } = settings
  const transport = new Transport(origin, userAgent, observe)
  const tokenPace = new Pace(scheduleFor('tokens', 0, settings), observeWait)
  const credentials = present(settings.credentials, transport, timeoutMs, tokenPace)
  const pace = new Pace(scheduleFor('calls', settings.budgetPerMinute, settings), observeWait)
  return new ZendeskClient({ transport, credentials, pace, timeoutMs })
}

export interface ZendeskSettings {
  origin: string
  credentials: CredentialConfig
  timeoutMs: number
  budgetPerMinute: number
  userAgent: string
  observe: (exchange: Exchange) => void
  observeWait?: (wait: Wait) => void
  /** Where replicas meet; undefined = the budget and pauses are of this process alone. */
  shared?: SharedStore | undefined
}

function scheduleFor(name: string, budgetPerMinute: number, { origin, shared }: ZendeskSettings): Schedule {
  const spread = spreadOf(budgetPerMinute)
  return shared ? new SharedSchedule(shared, origin, name, spread) : new LocalSchedule(spread)
}

export function present(
  config: CredentialConfig,
  transport: Transport,
  timeoutMs: number,
  tokenPace = new Pace(new LocalSchedule(spreadOf(0))),
): Credentials {
  switch (config.kind) {
    case 'client-credentials': {
      const { clientId: id, secret, scope } = config
      return new OAuthTokens(transport, { id, secret, scope, timeoutMs }, tokenPace)
    }
    case 'bearer':
      return new BearerToken(config.secret)
    case 'api-token':
      return new BasicCredentials(`${config.email}/token`, config.secret)
    case 'password':
      return new BasicCredentials(config.email, config.secret)
  }
}
