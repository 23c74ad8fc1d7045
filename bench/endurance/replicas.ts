import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import getPort from 'get-port'
import type { SandboxZendesk } from '../../test/sandbox/zendesk.js'
import { RedisServer } from '../../test/support/redis-server.js'
import { findExecutable, scratchFolder, type Running } from '../processes.js'
import { HEAP_PROBE, RESULTS, startService } from '../service.js'

export const DEADLINE_MS = 2_000
/** Longer than callers keep an idle connection plus the time until they hear that a replica leaves. */
const DRAIN_MS = 1_500
const UNAWARE_MS = 500

/** The replicas of one deployment: a credential with a secret file, and with more than one replica a Redis where it is installed. */
export class Replicas {
  redis: RedisServer | undefined
  readonly exitCodes: (number | undefined)[] = []
  readonly #serving = new Map<number, Running>()
  readonly #zendesk: SandboxZendesk
  readonly #secretPath = `${scratchFolder()}/secret`
  readonly #teardowns: (() => unknown)[] = []
  #secrets = 0

  static async start(count: number, zendesk: SandboxZendesk): Promise<Replicas> {
    const replicas = new Replicas(zendesk)
    const owner = { teardown: (teardown: () => unknown) => replicas.#teardowns.push(teardown) }
    if (count > 1 && findExecutable('redis-server')) replicas.redis = await RedisServer.start(owner)
    for (let number = 1; number <= count; number++) {
      rmSync(logOf(number), { force: true })
      await replicas.#start(number, await getPort())
    }
    return replicas
  }

  private constructor(zendesk: SandboxZendesk) {
    this.#zendesk = zendesk
    this.rotateSecret()
  }

  get all(): Running[] {
    return [...this.#serving.values()]
  }

  /** The origin for this request, as a client of a load balancer in layer 4 gets it: replicas in turn, without those that leave. */
  origin(index: number): string {
    return this.all[index % this.#serving.size]?.origin ?? ''
  }

  /** As a rolling deployment does: SIGTERM first; callers notice a little later. */
  async replace(number: number): Promise<void> {
    const old = this.#serving.get(number)
    if (!old) throw new RangeError(`there is no replica ${number}`)
    const exiting = this.#stop(old)
    await delay(UNAWARE_MS)
    this.#serving.delete(number)
    await exiting
    await this.#start(number, Number(new URL(old.origin).port))
  }

  /** The file first, by rename; the moment after, Zendesk accepts only the new one. */
  rotateSecret(): void {
    const secret = `sandbox-client-secret-${(this.#secrets += 1)}-not-a-secret`
    writeFileSync(`${this.#secretPath}.new`, secret)
    renameSync(`${this.#secretPath}.new`, this.#secretPath)
    this.#zendesk.credentials.clientSecret = secret
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((replica) => this.#stop(replica)))
    for (const teardown of this.#teardowns) await teardown()
  }

  async #stop(replica: Running): Promise<void> {
    this.exitCodes.push(await replica.stop())
  }

  async #start(number: number, port: number): Promise<void> {
    const environment = {
      ...HEAP_PROBE,
      ZENDESK_OAUTH_TOKEN: undefined,
      ZENDESK_OAUTH_CLIENT_ID: this.#zendesk.credentials.clientId,
      ZENDESK_OAUTH_CLIENT_SECRET_FILE: this.#secretPath,
      ZENDESK_TIMEOUT_MS: String(DEADLINE_MS),
      ZENDESK_BUDGET_PER_MINUTE: '1200',
      SHUTDOWN_DELAY_MS: String(DRAIN_MS),
      SHUTDOWN_GRACE_MS: '5000',
      REDIS_URL: this.redis?.url,
    }
    const options = { port, output: logOf(number) }
    this.#serving.set(number, await startService(this.#zendesk.url, environment, options))
  }
}

function logOf(number: number): string {
  return `${RESULTS}/replica-${number}.log`
}
