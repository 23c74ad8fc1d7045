import t from 'tap'
import { ask, startBoth } from '../support/helper.js'

t.test(
  'an event loop that stays late answers 503, tells probes so, and serves again when it is free',
  async (t) => {
    const { url, zendesk } = await startBoth(t)
    const renew = () => ask(`${url}/session/renew`)
    t.equal((await renew()).status, 200)
    keepBusy(1300)
    t.equal((await renew()).status, 200, 'a single stall is over by then')

    let answer = await renew()
    for (let stalls = 0; answer.status === 200 && stalls < 10; stalls++) {
      keepBusy(1300)
      answer = await renew()
    }
    t.match(answer.body, { code: 'service-unavailable', status: 503, retryAfter: 2 })
    t.equal(answer.headers.get('retry-after'), '2')
    const spent = zendesk.renewals().length
    t.equal((await ask(`${url}/livez`)).status, 200, 'alive all the same')
    t.equal((await ask(`${url}/readyz`)).status, 503)
    t.equal(zendesk.renewals().length, spent)

    const until = performance.now() + 10_000
    while ((await renew()).status !== 200 && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 50))
    t.equal((await renew()).status, 200)
  },
)

/** Holds the event loop up, as too much work would. */
function keepBusy(milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}
