import { setTimeout as delay } from 'node:timers/promises'
import type { Check } from '../verdict.js'
import { waited } from './faults.js'
import type { Random } from './random.js'
import type { Replicas } from './replicas.js'

/** Disruptions of the deployment, each once in random order before any comes again, until the signal. */
export async function disruptions(replicas: Replicas, random: Random, signal: AbortSignal): Promise<Check> {
  const { redis } = replicas
  const all: Record<string, () => unknown> = {
    'replica 1 replaced': () => replicas.replace(1),
    'replica 2 replaced': () => replicas.replace(2),
    'secret rotated': replicas.rotateSecret.bind(replicas),
    ...(redis && {
      'Redis stopped and started': async () => {
        await redis.kill()
        await delay(random.between(500, 4_000))
        await redis.start()
      },
    }),
  }
  const names = Object.keys(all)
  const happened: string[] = []
  for (let left: string[] = []; await waited(random.between(500, 3_000), signal);) {
    if (left.length === 0) left = [...names]
    const [name = ''] = left.splice(Math.floor(random.next() * left.length), 1)
    happened.push(name)
    await all[name]?.()
  }
  const counted = names.map((name) => `${name} ×${happened.filter((each) => each === name).length}`)
  return {
    expected: 'each disruption happens',
    found: `${counted.join(', ')}${redis ? '' : '; redis-server is not installed'}`,
    passed: names.every((name) => happened.includes(name)),
  }
}
