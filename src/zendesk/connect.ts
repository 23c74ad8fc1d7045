import type { CredentialConfig } from '../config/zendesk.js'
import type { RedisClient } from '../redis/client.js'
import type { ForwardProxies } from '../network/forward-proxies.js'
import { Budget } from './budget.js'
import { ZendeskClient } from './client.js'
import { BasicCredentials, BearerToken, type Credentials } from './credentials.js'
import { ZendeskEvents } from './events.js'
import { OAuthTokens } from './oauth-tokens.js'
import { Pace } from './pace.js'
import { LocalSchedule } from './traffic/schedule.js'
import { RedisSchedule, type ScheduleFinding } from './traffic/redis-schedule.js'
import { Transport } from './transport.js'

/** A client for the account at `origin`. */
export function connectZendesk(settings: ZendeskSettings): ZendeskClient {
  const { origin, timeoutMs, userAgent, proxies } = settings
  const events = new ZendeskEvents()
  const transport = new Transport({ origin, userAgent, proxies, timeoutMs }, (exchange) =>
    events.emit('call', exchange),
  )
  const { redis } = settings
  const budget = new Budget(settings.budgetPerMinute)
  const report = oncePerBudget((finding) => events.emit('finding', finding))
  // One budget, since the account counts all calls; a pause each, since a 429 of one endpoint says nothing of the other.
  const paceOf = (name: string) => {
    const schedule = redis ? new RedisSchedule(redis, name, budget, report) : new LocalSchedule(budget)
    return new Pace(schedule, (wait) => events.emit('slot', wait))
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
  proxies: ForwardProxies
  /** Where replicas meet; undefined = the budget and pauses are of this process alone. */
  redis: RedisClient | undefined
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

/** Services with different budgets see each other's in turn, at each call. */
function oncePerBudget(report: (finding: ScheduleFinding) => void): (finding: ScheduleFinding) => void {
  let reported: number | undefined
  return (finding) => {
    if (finding.kind === 'other-budget') {
      if (finding.perMinute === reported) return
      reported = finding.perMinute
    }
    report(finding)
  }
}
