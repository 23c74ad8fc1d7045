import getPort from 'get-port'
import { serve } from '../../src/commands/serve.js'
import { SandboxZendesk } from './zendesk.js'

if (process.argv[2] === 'tour') {
  const { tour } = await import('./tour/tour.js')
  process.exitCode = (await tour()) ? 0 : 1
} else {
  await demo()
}

/** The service with a sandbox Zendesk, to try everything without an account. Open, on this machine only. */
async function demo(): Promise<void> {
  const zendesk = await SandboxZendesk.start({ port: 4000 }).catch(() => SandboxZendesk.start())
  const metricsPort = process.env.METRICS_PORT ?? String(await getPort({ port: 9464 }))
  const app = await serve({
    PORT: process.env.PORT,
    METRICS_PORT: metricsPort,
    LOG_LEVEL: process.env.LOG_LEVEL,
    ZENDESK_URL: zendesk.url,
    ZENDESK_OAUTH_CLIENT_ID: zendesk.credentials.clientId,
    ZENDESK_OAUTH_CLIENT_SECRET: zendesk.credentials.clientSecret,
  })
  const service = `http://localhost:${new URL(app.listeningOrigin).port}`

  console.log(`
The service is at ${service}, the sandbox Zendesk at ${zendesk.url}. Try:

  get a token:
    curl -s ${service}/session/renew
  read the contract, with Try it out:
    ${service}/docs
  watch the state of the service:
    http://localhost:${metricsPort}/status
  make Zendesk rate-limit us (429, 9 s):
    curl -s -X PUT ${zendesk.url}/sandbox/faults -d '{"kind":"status","status":429,"headers":{"retry-after":"9"}}'
  see what callers get until then:
    curl -si ${service}/session/renew
  back to normal (the pause still runs out, because Zendesk asked for it; the status page shows how long):
    curl -s -X DELETE ${zendesk.url}/sandbox/faults

docs/sandbox.md lists all faults. For a guided tour in less than a minute: npm run demo -- tour
`)
}
