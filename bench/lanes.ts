import { SandboxZendesk } from '../test/sandbox/zendesk.js'
import { cores } from './cores.js'
import { progress } from './progress.js'
import type { RedisServer } from './redis-server.js'
import { startService } from './service.js'
import { startSubject } from './subjects.js'

export const BUDGET = 100
const LIMIT = 200

/** A subject with a Zendesk of its own, which takes 100 ms and allows 200 calls a minute. */
export interface Lane {
  name: string
  ours: boolean
  zendesk: SandboxZendesk
  origins: string[]
}

export async function oneReplica(): Promise<Lane> {
  const zendesk = await slowZendesk()
  return { name: 'this service', ours: true, zendesk, origins: [await replica(zendesk)] }
}

export async function twoReplicas(redis: RedisServer): Promise<Lane> {
  const zendesk = await slowZendesk()
  const origins = await Promise.all([1, 2].map(() => replica(zendesk, { REDIS_URL: redis.url })))
  return { name: 'two replicas, one Redis', ours: true, zendesk, origins }
}

export async function beside(name: 'nginx' | 'http-proxy'): Promise<Lane | undefined> {
  const zendesk = await slowZendesk()
  const subject = await startSubject(name, {
    upstream: zendesk.url,
    token: zendesk.credentials.bearerToken,
    budgetPerMinute: BUDGET,
  })
  if (subject) return { name, ours: false, zendesk, origins: [new URL(subject.url).origin] }
  progress(`${name} is not installed here and is left out`)
  await zendesk.close()
  return undefined
}

async function replica(zendesk: SandboxZendesk, environment: Record<string, string> = {}): Promise<string> {
  const service = await startService({
    zendesk: zendesk.url,
    core: cores()?.measured,
    environment: {
      ZENDESK_OAUTH_TOKEN: zendesk.credentials.bearerToken,
      ZENDESK_BUDGET_PER_MINUTE: String(BUDGET),
      ...environment,
    },
  })
  return service.origin
}

async function slowZendesk(): Promise<SandboxZendesk> {
  const zendesk = await SandboxZendesk.start({ limitPerMinute: LIMIT })
  zendesk.misbehave({ kind: 'delay', ms: 100 })
  return zendesk
}
