import type { CredentialConfig } from '../config/zendesk.js'
import type { RedisClient } from '../redis/client.js'
import { ZendeskClient, type ZendeskParts } from './client.js'
import { systemClock, type Clock } from './clock.js'
import { BasicCredentials, BearerToken, type Credentials } from './credentials.js'
import { ZendeskEvents } from './events.js'
import { OAuthTokens } from './oauth-tokens.js'
import { compose, type Send } from './operation.js'
import { AccountShare } from './traffic/account-share.js'
import { Budget } from './traffic/budget.js'
import { Pace } from './traffic/pace.js'
import { RedisSchedule, type ScheduleFinding } from './traffic/redis-schedule.js'
import { LocalSchedule } from './traffic/schedule.js'
import { Transport, type TransportSettings } from './transport.js'

/** A client for the account at `origin`. */
export function connectZendesk(settings: ZendeskSettings & TransportSettings): ZendeskClient {
  const events = new ZendeskEvents()
  return assembleClient(
    settings,
    new Transport(settings, (exchange) => events.emit('call', exchange)),
    events,
  )
}

/** The client on any transport. */
export function assembleClient(
  settings: ZendeskSettings,
  transport: ZendeskParts['transport'],
  events = new ZendeskEvents(),
): ZendeskClient {
  const { timeoutMs, redis, clock = systemClock } = settings
  const account = new AccountShare(settings.budgetPerMinute, timeoutMs, clock)
  const budget = new Budget(settings.budgetPerMinute, account)
  events.on('call', ({ rateLimit }) => {
    if (rateLimit) account.told(rateLimit)
  })
  const report = oncePerBudget((finding) => events.emit('finding', finding))
  // One budget, since the account counts all calls; a pause each, since a 429 of one endpoint says nothing of the other.
  const paceOf = (endpoint: string) => {
    const schedule = redis
      ? new RedisSchedule(redis, endpoint, budget, report, clock)
      : new LocalSchedule(budget, clock)
    return new Pace(schedule, (wait) => events.emit('slot', wait), clock)
  }
  const sendToken = compose([paceOf('tokens')], (call) => transport.exchange(call))
  const credentials = credentialsFrom(settings.credentials, sendToken, timeoutMs, clock)
  return new ZendeskClient({
    transport,
    credentials,
    pace: paceOf('calls'),
    account,
    timeoutMs,
    events,
    clock,
  })
}

export interface ZendeskSettings {
  credentials: CredentialConfig
  /** The one limit of an operation, in milliseconds. */
  timeoutMs: number
  budgetPerMinute: number
  /** Where replicas meet; undefined = the budget and pauses are of this process alone. */
  redis: RedisClient | undefined
  clock?: Clock
}

/** @param send to the token endpoint. */
export function credentialsFrom(
  config: CredentialConfig,
  send: Send,
  timeoutMs: number,
  clock?: Clock,
): Credentials {
  switch (config.kind) {
    case 'client-credentials': {
      const { clientId: id, secret, scope } = config
      return new OAuthTokens(send, { id, secret, scope, timeoutMs }, clock)
    }
    case 'bearer':
      return new BearerToken(config.secret)
    case 'api-token':
      return new BasicCredentials(`${config.email}/token`, config.secret)
    case 'password':
      return new BasicCredentials(config.email, config.secret)
  }
}

/** Services with different budgets see each other's budget at each call. */
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
