import { parseArgs } from 'node:util'
import { SandboxZendesk } from '../test/sandbox/zendesk.js'
import { cores, leaveMeasuredCore } from './cores.js'
import { crowd } from './crowd.js'
import { footprint, growthChecks, PROBE_OPTIONS } from './footprint.js'
import { stop } from './processes.js'
import { endProgress, progress, Steps } from './progress.js'
import { Random } from './random.js'
import { startService } from './service.js'
import { pronounce } from './verdict.js'
import { anyVisit, goodVisit } from './visits.js'
import { weather } from './weather.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const seconds = Number(values.minutes) * 60
const random = new Random(Number(values.seed))
const deadlineMs = 2_000

console.log(`soak: seed ${random.seed}, ${values.minutes} minutes, ${values.rate} callers a second`)
leaveMeasuredCore()
const zendesk = await SandboxZendesk.start({ limitPerMinute: 1_000_000, tokenLifetime: 20 })
const service = await startService({
  zendesk: zendesk.url,
  core: cores()?.measured,
  nodeOptions: PROBE_OPTIONS,
  environment: {
    ZENDESK_OAUTH_CLIENT_ID: zendesk.credentials.clientId,
    ZENDESK_OAUTH_CLIENT_SECRET: zendesk.credentials.clientSecret,
    ZENDESK_TIMEOUT_MS: String(deadlineMs),
    ZENDESK_BUDGET_PER_MINUTE: '1200',
  },
})
const { origin } = service
const load = { origin, perSecond: Number(values.rate), withinMs: deadlineMs + 250 }

// Caches fill and code is compiled before growth means anything.
const warmUpSeconds = Math.max(5, Math.min(30, seconds / 5))
await stormyDay(Math.round(warmUpSeconds))
progress('looking at memory and sockets')
const before = await footprint(service)
const { faults, grievances } = await stormyDay(seconds)
progress('calm again')
// With a few callers, since a breaker that is open is closed by a call that succeeds.
await crowd({ ...load, perSecond: 10, seconds: 5, visit: () => goodVisit(random) })
const afterwards = await crowd({ ...load, seconds: 5, visit: () => goodVisit(random) })
progress('looking at memory and sockets')
const after = await footprint(service)
const exitCode = await stop(service, 15_000)
await zendesk.close()
endProgress()

pronounce('soak', [
  ...grievances.checks(),
  { expected: 'Zendesk misbehaves now and then', found: `${faults} times`, kept: faults > 0 },
  afterwards.flawlessCheck('once Zendesk is well again'),
  ...growthChecks('the service', before, after),
  { expected: 'it ends with 0 when asked to', found: String(exitCode), kept: exitCode === 0 },
])

async function stormyDay(forSeconds: number) {
  const over = new AbortController()
  const steps = new Steps(Math.ceil(forSeconds))
  const storm = weather(zendesk, random, over.signal)
  const grievances = await crowd({
    ...load,
    seconds: forSeconds,
    visit: () => anyVisit(random),
    onSecond: () => {
      steps.next('all kinds of callers, all kinds of weather')
    },
  })
  over.abort()
  return { grievances, faults: await storm }
}
