import { SandboxZendesk } from './zendesk.js'

const {
  HOST = '127.0.0.1',
  PORT = '4000',
  SANDBOX_LIMIT_PER_MINUTE = '700',
  SANDBOX_OTHER_PER_MINUTE = '0',
} = process.env

const sandbox = await SandboxZendesk.start({
  host: HOST,
  port: Number(PORT),
  limitPerMinute: Number(SANDBOX_LIMIT_PER_MINUTE),
  otherPerMinute: Number(SANDBOX_OTHER_PER_MINUTE),
})

const { clientId, clientSecret } = sandbox.credentials
const fault = `curl -X PUT ${sandbox.url}/sandbox/faults -d '{"kind":"silence","target":"renew"}'`
console.log(
  `sandbox Zendesk at ${sandbox.url}, accepts the fake OAuth client ${clientId} with secret ${clientSecret}; ` +
    `misbehave: ${fault}`,
)

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    void sandbox.close()
  })
