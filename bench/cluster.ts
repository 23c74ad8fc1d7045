import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SandboxZendesk } from '../test/sandbox/zendesk.js'
import { Balancer } from './balancer.js'
import { cores } from './cores.js'
import { footprint, PROBE_OPTIONS, type Footprint } from './footprint.js'
import { resultPath, scratchFolder } from './paths.js'
import { stop } from './processes.js'
import { RedisServer } from './redis-server.js'
import { startService, type Service } from './service.js'

export const DEADLINE_MS = 2_000
/** Longer than the balancer needs to notice, and than callers keep an idle connection. */
export const DRAIN_MS = 1_500
const GRACE_MS = 5_000

/** Two replicas behind a balancer, with one Redis where it is installed and a secret that comes from a file. */
export class Cluster {
  readonly balancer: Balancer
  readonly redis: RedisServer | undefined
  readonly #zendesk: SandboxZendesk
  readonly #secretPath: string
  readonly #replicas: Service[]
  #secrets = 0

  static async start(zendesk: SandboxZendesk): Promise<Cluster> {
    const secretPath = join(scratchFolder(), 'token')
    writeFileSync(secretPath, zendesk.credentials.bearerToken)
    const redis = await RedisServer.start()
    const environment = replicaEnvironment(secretPath, redis)
    const replicas = await Promise.all([0, 1].map((index) => startReplica(index, zendesk, environment)))
    const balancer = await Balancer.start(replicas.map(({ port }) => port))
    return new Cluster({ zendesk, secretPath, redis, replicas, balancer })
  }

  private constructor(parts: {
    zendesk: SandboxZendesk
    secretPath: string
    redis: RedisServer | undefined
    replicas: Service[]
    balancer: Balancer
  }) {
    this.balancer = parts.balancer
    this.redis = parts.redis
    this.#zendesk = parts.zendesk
    this.#secretPath = parts.secretPath
    this.#replicas = parts.replicas
  }

  /** Asks one replica to end, as a deployment does, and starts it anew; resolves with the exit code, null where it had to be killed. */
  async replace(index: number): Promise<number | null> {
    const old = this.#replica(index)
    const exitCode = await stop(old, DRAIN_MS + GRACE_MS + 1_000)
    const environment = replicaEnvironment(this.#secretPath, this.redis)
    this.#replicas[index] = await startReplica(index, this.#zendesk, environment, old.port)
    return exitCode
  }

  /** The file first, by rename; the moment after, Zendesk knows only the new one. */
  rotateSecret(): void {
    this.#secrets += 1
    const secret = `sandbox-bearer-token-${this.#secrets}-not-a-secret`
    writeFileSync(`${this.#secretPath}.new`, secret)
    renameSync(`${this.#secretPath}.new`, this.#secretPath)
    this.#zendesk.credentials.bearerToken = secret
  }

  async footprints(): Promise<Footprint[]> {
    return Promise.all(this.#replicas.map(footprint))
  }

  #replica(index: number): Service {
    const replica = this.#replicas[index]
    if (!replica) throw new RangeError(`there is no replica ${index}`)
    return replica
  }
}

function replicaEnvironment(secretPath: string, redis: RedisServer | undefined): Record<string, string> {
  return {
    ZENDESK_OAUTH_TOKEN_FILE: secretPath,
    ZENDESK_TIMEOUT_MS: String(DEADLINE_MS),
    ZENDESK_BUDGET_PER_MINUTE: '1200',
    SHUTDOWN_DELAY_MS: String(DRAIN_MS),
    SHUTDOWN_GRACE_MS: String(GRACE_MS),
    ...(redis && { REDIS_URL: redis.url }),
  }
}

function startReplica(
  index: number,
  zendesk: SandboxZendesk,
  environment: Record<string, string>,
  port?: number,
): Promise<Service> {
  return startService({
    zendesk: zendesk.url,
    environment,
    core: cores()?.measured,
    nodeOptions: PROBE_OPTIONS,
    output: resultPath(`chaos-replica-${index + 1}.log`),
    ...(port !== undefined && { port }),
  })
}
