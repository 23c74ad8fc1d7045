import { parseArgs } from 'node:util'
import { SandboxZendesk } from '../../test/sandbox/zendesk.js'
import { endProgress, progress, pronounce } from '../verdict.js'
import { disruptions } from './disruptions.js'
import { faultSchedule } from './faults.js'
import { growthChecks } from './growth.js'
import { Random } from './random.js'
import { DEADLINE_MS, Replicas } from './replicas.js'
import { anyRequest, send, validRequest } from './requests.js'

const { values } = parseArgs({
  options: {
    replicas: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '5' },
    rate: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const count = Number(values.replicas)
const seconds = Number(values.minutes) * 60
const perSecond = Number(values.rate)
if (![1, 2].includes(count) || !(seconds > 0) || !(perSecond > 0))
  throw new TypeError('--replicas is 1 or 2; --minutes and --rate are numbers above zero')
const random = new Random(Number(values.seed))
const name = count === 1 ? 'soak' : 'chaos'

console.log(`${name}: seed ${random.seed}, ${values.minutes} minutes, ${values.rate} requests a second`)
const zendesk = await SandboxZendesk.start({ limitPerMinute: 1_000_000, tokenLifetime: 20 })
const replicas = await Replicas.start(count, zendesk)
const load = {
  origin: (index: number) => replicas.origin(index),
  perSecond,
  withinMs: DEADLINE_MS + 250,
  kind: () => validRequest(random),
}

// Caches fill and code is compiled before growth means anything.
await withFaults(Math.max(5, Math.min(30, seconds / 5)))
progress('reading memory and sockets')
const before = await replicas.footprints()
const { outcome, faults, disrupted } = await withFaults(seconds, count > 1)
progress('without faults again')
// Few requests at first: an open circuit breaker is closed by a call that succeeds.
await send({ ...load, perSecond: 10, seconds: 5 })
const afterwards = await send({ ...load, seconds: 5 })
progress('reading memory and sockets')
const after = await replicas.footprints()
const exitCodes = await replicas.stop()
await zendesk.close()
endProgress()

pronounce(name, [
  ...outcome.checks,
  { expected: 'Zendesk fails now and then', found: `${faults} faults`, passed: faults > 0 },
  ...disrupted,
  {
    expected: 'without faults again, every caller gets a token',
    found: afterwards.tally.summary(),
    passed: afterwards.tally.tokens === afterwards.tally.asked,
  },
  ...after.flatMap((now, index) => {
    const then = before[index]
    return then ? growthChecks(`replica ${index + 1}`, then, now) : []
  }),
  {
    expected: 'each replica exits with 0',
    found: exitCodes.join(', '),
    passed: exitCodes.every((code) => code === 0),
  },
])

async function withFaults(forSeconds: number, disrupting = false) {
  const over = new AbortController()
  const scheduled = faultSchedule(zendesk, random, over.signal)
  const disrupted = disrupting ? disruptions(replicas, random, over.signal) : []
  const outcome = await send({
    ...load,
    seconds: forSeconds,
    kind: () => anyRequest(random),
    onSecond: (second) => {
      if (second % 10 === 0)
        progress(`all kinds of requests, all kinds of faults: ${second} of ${forSeconds} s`)
    },
  })
  over.abort()
  return { outcome, faults: await scheduled, disrupted: await disrupted }
}
