import { SandboxZendesk } from '../../test/sandbox/zendesk.js'
import type { Check } from '../verdict.js'
import { disruptions } from './disruptions.js'
import { faultSchedule } from './faults.js'
import { footprint, growthChecks } from './growth.js'
import { Random } from './random.js'
import { Replicas } from './replicas.js'
import { anyRequest, send, validRequest } from './requests.js'

type Options = Record<'replicas' | 'minutes' | 'rate' | 'seed', number>

/** All kinds of requests while Zendesk misbehaves at random; with more than one replica, the deployment is disrupted too. */
export async function endurance(options: Options): Promise<Check[]> {
  const { replicas: count, minutes, rate: perSecond, seed } = options
  console.error(options)
  const random = new Random(seed)
  const zendesk = await SandboxZendesk.start({ limitPerMinute: 1_000_000, tokenLifetime: 20 })
  const replicas = await Replicas.start(count, zendesk)
  const origin = (index: number) => replicas.origin(index)
  const load = { origin, perSecond, kind: () => validRequest(random) }
  const withFaults = async (seconds: number, disrupting = false) => {
    const over = new AbortController()
    const scheduled = faultSchedule(zendesk, random, over.signal)
    const disrupted = disrupting && disruptions(replicas, random, over.signal)
    const { checks } = await send({ ...load, seconds, kind: () => anyRequest(random) })
    over.abort()
    const faults = await scheduled
    const failing = { expected: 'Zendesk fails now and then', found: `${faults} faults`, passed: faults > 0 }
    return [...checks, failing, ...(disrupted ? [await disrupted] : [])]
  }

  // Caches fill and code is compiled before growth means anything.
  await withFaults(Math.max(5, Math.min(30, minutes * 12)))
  const before = await Promise.all(replicas.all.map(footprint))
  const checks = await withFaults(minutes * 60, count > 1)
  // Few requests at first: an open circuit breaker is closed by a call that succeeds.
  await send({ ...load, perSecond: 10, seconds: 5 })
  const { tally } = await send({ ...load, seconds: 5 })
  const after = await Promise.all(replicas.all.map(footprint))
  await replicas.stop()
  await zendesk.close()
  return [
    ...checks,
    {
      expected: 'without faults again, every caller gets a token',
      found: tally.summary(),
      passed: tally.tokens === tally.all,
    },
    ...before.flatMap((then, index) => growthChecks(`replica ${index + 1}`, then, after[index] ?? then)),
    {
      expected: 'each replica exits with 0, replaced ones too',
      found: replicas.exitCodes.join(', '),
      passed: replicas.exitCodes.every((code) => code === 0),
    },
  ]
}
