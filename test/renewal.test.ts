import t from 'tap'
import { ask, startBoth } from './support/helper.js'

t.test('a caller gets the token and nothing else, at every address of the renewal', async (t) => {
  const { url, zendesk } = await startBoth(t)
  const requests: [string, RequestInit][] = [
    ['/session/renew', {}],
    ['/session/renew', { method: 'POST' }],
    ['/api/v2/users/me/session/renew', {}],
  ]
  for (const [path, init] of requests) {
    const answer = await ask(url + path, init)
    t.equal(answer.status, 200)
    t.match(answer.body, { authenticity_token: /^[\w-]{86}$/ })
    t.same(Object.keys(answer.body ?? {}), ['authenticity_token'])
    t.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
    t.equal(answer.headers.get('cache-control'), 'no-store')
    t.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    t.ok(answer.headers.get('x-request-id'))
    t.equal(answer.headers.get('set-cookie'), null)
  }
  t.equal(zendesk.renewals().length, 3)
})
