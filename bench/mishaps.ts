import { setTimeout as delay } from 'node:timers/promises'
import type { Cluster } from './cluster.js'
import { lasts } from './interval.js'
import { progress } from './progress.js'
import type { Random } from './random.js'

export interface MishapCount {
  redisAway: number
  rotations: number
  replacements: number
  exitCodes: (number | null)[]
}

/** One thing after the other happens to the cluster, each before any happens twice, until the signal. */
export async function mishaps(cluster: Cluster, random: Random, signal: AbortSignal): Promise<MishapCount> {
  const count: MishapCount = { redisAway: 0, rotations: 0, replacements: 0, exitCodes: [] }
  const replace = async (index: number) => {
    count.replacements += 1
    count.exitCodes.push(await cluster.replace(index))
  }
  const all: [string, () => Promise<void> | void][] = [
    ['replica 1 is replaced', () => replace(0)],
    ['replica 2 is replaced', () => replace(1)],
    [
      'the secret is rotated',
      () => {
        count.rotations += 1
        cluster.rotateSecret()
      },
    ],
  ]
  const { redis } = cluster
  if (redis) {
    all.push([
      'Redis is away',
      async () => {
        count.redisAway += 1
        await redis.goAway()
        await delay(random.between(500, 4_000))
        await redis.comeBack()
      },
    ])
  }
  for (let next = random.shuffled(all); await lasts(random.between(500, 3_000), signal);) {
    if (next.length === 0) next = random.shuffled(all)
    const [name, happen] = next.shift() ?? ['nothing happens', () => undefined]
    progress(name)
    await happen()
  }
  return count
}
