import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { SandboxZendesk } from '../../test/sandbox/zendesk.js'
import { RedisServer } from '../../test/support/redis-server.js'
import { findExecutable, scratchFolder } from '../processes.js'
import { DIST, startService, type Service } from '../service.js'
import { footprint, PROBE_OPTIONS, type Footprint } from './growth.js'

export const DEADLINE_MS = 2_000
/** Longer than callers keep an idle connection plus the time until they hear that a replica leaves. */
const DRAIN_MS = 1_500
const UNAWARE_MS = 500
const GRACE_MS = 5_000

/** The replicas of one deployment: a credential with a secret file, and with more than one replica a Redis where it is installed. */
export class Replicas {
  readonly redis: RedisServer | undefined
  readonly #zendesk: SandboxZendesk
  readonly #secretPath = join(scratchFolder(), 'secret')
  readonly #teardowns: (() => unknown)[]
  readonly #replicas: Service[] = []
  readonly #leaving = new Set<Service>()
  #secrets = 0

  static async start(count: number, zendesk: SandboxZendesk): Promise<Replicas> {
    const teardowns: (() => unknown)[] = []
    const redis =
      count > 1 && findExecutable('redis-server')
        ? await RedisServer.start({ teardown: (teardown) => teardowns.push(teardown) })
        : undefined
    const replicas = new Replicas(zendesk, redis, teardowns)
    await Promise.all(Array.from({ length: count }, (_, index) => replicas.#start(index)))
    return replicas
  }

  private constructor(zendesk: SandboxZendesk, redis: RedisServer | undefined, teardowns: (() => unknown)[]) {
    this.#zendesk = zendesk
    this.redis = redis
    this.#teardowns = teardowns
    writeFileSync(this.#secretPath, zendesk.credentials.clientSecret)
  }

  /** The origin for this request, as a client of a load balancer in layer 4 gets it: replicas in turn, without those that leave. */
  origin(index: number): string {
    const serving = this.#replicas.filter((replica) => !this.#leaving.has(replica))
    return serving[index % serving.length]?.origin ?? ''
  }

  /** As a rolling deployment does: SIGTERM first; callers notice a little later. Resolves with the exit code. */
  async replace(index: number): Promise<number | undefined> {
    const old = this.#replicas[index]
    if (!old) throw new RangeError(`there is no replica ${index}`)
    const exiting = old.stop(DRAIN_MS + GRACE_MS + 1_000)
    await delay(UNAWARE_MS)
    this.#leaving.add(old)
    const exitCode = await exiting
    await this.#start(index, old.port)
    this.#leaving.delete(old)
    return exitCode
  }

  /** The file first, by rename; the moment after, Zendesk accepts only the new one. */
  rotateSecret(): void {
    this.#secrets += 1
    const secret = `sandbox-client-secret-${this.#secrets}-not-a-secret`
    writeFileSync(`${this.#secretPath}.new`, secret)
    renameSync(`${this.#secretPath}.new`, this.#secretPath)
    this.#zendesk.credentials.clientSecret = secret
  }

  footprints(): Promise<Footprint[]> {
    return Promise.all(this.#replicas.map(footprint))
  }

  /** Resolves with the exit codes. */
  async stop(): Promise<(number | undefined)[]> {
    const exitCodes = await Promise.all(this.#replicas.map((replica) => replica.stop(15_000)))
    for (const teardown of this.#teardowns) await teardown()
    return exitCodes
  }

  async #start(index: number, port?: number): Promise<void> {
    const results = join(DIST, '../bench/results')
    mkdirSync(results, { recursive: true })
    this.#replicas[index] = await startService({
      zendesk: this.#zendesk.url,
      nodeOptions: PROBE_OPTIONS,
      output: join(results, `replica-${index + 1}.log`),
      ...(port !== undefined && { port }),
      environment: {
        ZENDESK_OAUTH_CLIENT_ID: this.#zendesk.credentials.clientId,
        ZENDESK_OAUTH_CLIENT_SECRET_FILE: this.#secretPath,
        ZENDESK_TIMEOUT_MS: String(DEADLINE_MS),
        ZENDESK_BUDGET_PER_MINUTE: '1200',
        SHUTDOWN_DELAY_MS: String(DRAIN_MS),
        SHUTDOWN_GRACE_MS: String(GRACE_MS),
        ...(this.redis && { REDIS_URL: this.redis.url }),
      },
    })
  }
}
