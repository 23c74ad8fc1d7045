/** Renews a session, with retries: `SERVICE=… KEY=… node renew-session.js`. Needs nothing but Node. */
import { setTimeout as sleep } from 'node:timers/promises'

const ATTEMPTS = 4
const LONGEST_WAIT_SECONDS = 60

/** @throws an Error with the fields of the problem: `code` for programs, the message for people. */
export async function renewSession(service, key) {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(`${service}/session/renew`, {
      headers: { authorization: `Bearer ${key}` },
      // Above the deadline of the service, so that its own error arrives.
      signal: AbortSignal.timeout(10_000),
    })
    const body = await response.json().catch(() => notOurs(response))
    if (response.ok) return body.authenticity_token

    const { code, detail, requestId, retryAfter } = body
    if (retryAfter === undefined || retryAfter > LONGEST_WAIT_SECONDS || attempt === ATTEMPTS)
      throw Object.assign(new Error(`${code}: ${detail} (request ${requestId})`), body)
    // The random part keeps many clients from returning at the same moment.
    await sleep((retryAfter + Math.random()) * 1000)
  }
}

/** A proxy in between answered with a page of its own. */
function notOurs({ status }) {
  return { code: `http-${status}`, detail: 'The answer did not come from the service.' }
}

const { SERVICE = 'http://127.0.0.1:3000', KEY = '' } = process.env
try {
  console.log(await renewSession(SERVICE, KEY))
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
