import type { CredentialConfig } from '../config/zendesk.js'
import { Budget } from './budget.js'
import { ZendeskClient } from './client.js'
import { BasicCredentials, BearerToken, type Credentials } from './credentials.js'
import { ZendeskEvents } from './events.js'
import { OAuthTokens } from './oauth-tokens.js'
import { Pace } from './pace.js'
import { LocalSchedule } from './traffic/schedule.js'
import { RedisSchedule } from './traffic/redis-schedule.js'
import { RedisStore, type ScriptRunner } from './traffic/redis-store.js'
import { Transport } from './transport.js'

/** A client for the account at `origin`. */
export function connectZendesk(settings: ZendeskSettings): ZendeskClient {
  const { origin, timeoutMs, userAgent } = settings
  const events = new ZendeskEvents()
  const transport = new Transport(origin, userAgent, (exchange) => events.emit('call', exchange))
  const store = settings.redis && new RedisStore(settings.redis, (now) => events.emit('sharing', now))
  const budget = new Budget(settings.budgetPerMinute)
  // One budget, since the account counts all calls; a pause each, since a 429 of one endpoint says nothing of the other.
  const paceOf = (name: string) => {
    const schedule = store ? new RedisSchedule(store, origin, name, budget) : new LocalSchedule(budget)
    return new Pace(schedule, (wait) => events.emit('turn', wait))
  }
  const credentials = present(settings.credentials, transport, timeoutMs, paceOf('tokens'))
  const pace = paceOf('calls')
  return new ZendeskClient({ transport, credentials, pace, timeoutMs, events })
}

export interface ZendeskSettings {
  origin: string
  credentials: CredentialConfig
  timeoutMs: number
  budgetPerMinute: number
  userAgent: string
  /** Where replicas meet; undefined = the budget and pauses are of this process alone. */
  redis: ScriptRunner | undefined
}

export function present(
  config: CredentialConfig,
  transport: Transport,
  timeoutMs: number,
  tokenPace = new Pace(new LocalSchedule(new Budget(0))),
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
