import { parseArgs } from 'node:util'
import { SandboxZendesk } from '../test/sandbox/zendesk.js'
import { Cluster, DEADLINE_MS } from './cluster.js'
import { leaveMeasuredCore } from './cores.js'
import { crowd } from './crowd.js'
import { growthChecks } from './footprint.js'
import { mishaps } from './mishaps.js'
import { stopAll } from './processes.js'
import { endProgress, progress } from './progress.js'
import { Random } from './random.js'
import { pronounce } from './verdict.js'
import { goodVisit } from './visits.js'
import { weather } from './weather.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    rate: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const seconds = Number(values.minutes) * 60
const random = new Random(Number(values.seed))

console.log(`chaos: seed ${random.seed}, ${values.minutes} minutes, ${values.rate} callers a second`)
leaveMeasuredCore()
const zendesk = await SandboxZendesk.start({ limitPerMinute: 1_000_000 })
const cluster = await Cluster.start(zendesk)
const load = {
  origin: cluster.balancer.origin,
  perSecond: Number(values.rate),
  withinMs: DEADLINE_MS + 250,
  keepAliveMs: 500,
  visit: () => goodVisit(random),
}

await crowd({ ...load, seconds: 5 })
progress('looking at memory and sockets')
const [before] = await cluster.footprints()

const over = new AbortController()
const storm = weather(zendesk, random, over.signal)
const happening = mishaps(cluster, random, over.signal)
const grievances = await crowd({
  ...load,
  seconds,
  onSecond: (second) => {
    if (second % 10 === 0) progress(`${second} of ${seconds} s`)
  },
})
over.abort()
const [faults, { exitCodes, ...count }] = await Promise.all([storm, happening])

progress('calm again')
// With a few callers, since a breaker that is open is closed by a call that succeeds.
await crowd({ ...load, perSecond: 10, seconds: 5 })
const afterwards = await crowd({ ...load, seconds: 5 })
progress('looking at memory and sockets')
const after = await cluster.footprints()
await cluster.balancer.close()
await stopAll()
await zendesk.close()
endProgress()

pronounce('chaos', [
  ...grievances.checks(),
  {
    expected: 'everything happens at least once',
    found: `${faults} faults of Zendesk's, ${count.replacements} replicas replaced, ${count.rotations} secrets rotated, ${cluster.redis ? `Redis away ${count.redisAway} times` : 'no Redis installed'}`,
    kept:
      faults > 0 && count.replacements > 1 && count.rotations > 0 && (!cluster.redis || count.redisAway > 0),
  },
  {
    expected: 'replicas end with 0 when asked to',
    found: exitCodes.join(', '),
    kept: exitCodes.every((code) => code === 0),
  },
  afterwards.flawlessCheck('once all is well again'),
  ...(before ? after.flatMap((each, index) => growthChecks(`replica ${index + 1}`, before, each)) : []),
])
