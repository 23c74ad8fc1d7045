import { setTimeout as delay } from 'node:timers/promises'
import { progress, type Check } from '../verdict.js'
import { waited } from './faults.js'
import type { Random } from './random.js'
import type { Replicas } from './replicas.js'

/** Disruptions of the deployment, each once in random order before any comes again, until the signal. */
export async function disruptions(replicas: Replicas, random: Random, signal: AbortSignal): Promise<Check[]> {
  const exitCodes: (number | undefined)[] = []
  const { redis } = replicas
  const all: [string, () => Promise<void> | void][] = [
    ['replica 1 replaced', async () => void exitCodes.push(await replicas.replace(0))],
    ['replica 2 replaced', async () => void exitCodes.push(await replicas.replace(1))],
    [
      'secret rotated',
      () => {
        replicas.rotateSecret()
      },
    ],
  ]
  if (redis)
    all.push([
      'Redis stopped and started',
      async () => {
        await redis.kill()
        await delay(random.between(500, 4_000))
        await redis.start()
      },
    ])
  const counts = new Map(all.map(([name]) => [name, 0]))
  for (let next = random.shuffled(all); await waited(random.between(500, 3_000), signal);) {
    if (next.length === 0) next = random.shuffled(all)
    const [name, disrupt] = next.shift() ?? ['', () => undefined]
    progress(name)
    counts.set(name, (counts.get(name) ?? 0) + 1)
    await disrupt()
  }
  return [
    {
      expected: 'each disruption happens',
      found:
        [...counts].map(([name, count]) => `${name} ×${count}`).join(', ') +
        (redis ? '' : '; redis-server is not installed'),
      passed: [...counts.values()].every((count) => count > 0),
    },
    {
      expected: 'replaced replicas exit with 0',
      found: exitCodes.join(', '),
      passed: exitCodes.every((code) => code === 0),
    },
  ]
}
