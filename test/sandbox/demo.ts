import { serve } from '../../src/serve.js'
import { SandboxZendesk } from './zendesk.js'

/** The service on a Zendesk of its own, to try everything without an account. Open, on this machine only. */
const zendesk = await SandboxZendesk.start({ port: 4000 }).catch(() => SandboxZendesk.start())
const app = await serve({
  PORT: process.env.PORT,
  LOG_LEVEL: process.env.LOG_LEVEL,
  ZENDESK_URL: zendesk.url,
  ZENDESK_OAUTH_CLIENT_ID: zendesk.credentials.clientId,
  ZENDESK_OAUTH_CLIENT_SECRET: zendesk.credentials.clientSecret,
})
const service = `http://localhost:${new URL(app.listeningOrigin).port}`

console.log(`
The service answers on ${service}, the sandbox Zendesk on ${zendesk.url}. Try:

  a token:                          curl -s ${service}/session/renew
  the contract, with Try it out:    ${service}/docs
  a bad day of Zendesk's:           curl -s -X PUT ${zendesk.url}/sandbox/faults -H 'content-type: application/json' \\
                                      -d '{"kind":"status","status":429,"headers":{"retry-after":"9"}}'
  an honest error, for 9 seconds:   curl -si ${service}/session/renew
  a good day again:                 curl -s -X DELETE ${zendesk.url}/sandbox/faults
`)
