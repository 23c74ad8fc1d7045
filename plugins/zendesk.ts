import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import type { ZendeskClient } from '../src/zendesk/client.js'
import { connectZendesk } from '../src/zendesk/connect.js'
import type { ZendeskEvents } from '../src/zendesk/events.js'
import { version } from '../src/version.js'

declare module 'fastify' {
  interface FastifyInstance {
    zendesk: ZendeskClient
  }
}

/** The client of Zendesk for as long as the service lives: follows its secret, logs its calls, closes with it. */
export default plugin(
  (app, _options, done) => {
    const { zendeskOrigin, zendeskCredentials, forwardProxies } = app.config
    const { ZENDESK_TIMEOUT_MS, ZENDESK_BUDGET_PER_MINUTE } = app.config
    const zendesk = connectZendesk({
      origin: zendeskOrigin,
      credentials: zendeskCredentials,
      timeoutMs: ZENDESK_TIMEOUT_MS,
      budgetPerMinute: ZENDESK_BUDGET_PER_MINUTE,
      userAgent: `zendesk-session-proxy/${version}`,
      proxies: forwardProxies,
      redis: app.redis,
    })
    logEvents(app, zendesk.events)
    app.decorate('zendesk', zendesk)
    zendeskCredentials.secret.follow(app.log, () => {
      zendesk.secretChanged()
    })
    forwardProxies.follow(app.log)
    app.addHook('onClose', async () => {
      zendeskCredentials.secret.unfollow()
      forwardProxies.unfollow()
      await zendesk.close()
    })
    done()
  },
  { name: 'zendesk', dependencies: ['redis', 'tracing'] },
)

function logEvents({ log, traceIds }: FastifyInstance, events: ZendeskEvents): void {
  events
    .on('call', ({ operation, outcome, status, zendeskMs, errorCode, retryAfter }) => {
      const fields = {
        operation,
        outcome,
        status,
        errorCode,
        zendeskMs: Math.round(zendeskMs * 10) / 10,
        ...traceIds(),
      }
      // A call that gave what was asked for is news only when debugging.
      if (outcome === 'ok') log.debug(fields, 'zendesk called')
      else log.warn(fields, 'zendesk call failed')
      if (outcome === 'zendesk-rate-limited')
        log.warn({ operation, seconds: retryAfter, ...traceIds() }, 'zendesk asks for a pause')
    })
    .on('breaker', (state) => {
      if (state === 'open') log.warn({ ...traceIds() }, 'circuit breaker opened: zendesk keeps failing')
      else log.info({ ...traceIds() }, 'circuit breaker closed: zendesk recovered')
    })
    .on('finding', (finding) => {
      if (finding.kind === 'clock-set-back')
        log.warn({ seconds: finding.seconds }, 'clock of redis set back: slots and pauses moved with it')
      else
        log.warn(
          { otherBudget: finding.perMinute },
          'another service on this redis has a different ZENDESK_BUDGET_PER_MINUTE',
        )
    })
}
