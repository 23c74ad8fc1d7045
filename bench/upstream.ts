import { startProgram, type Running } from './processes.js'
import type { UpstreamCount, UpstreamMode } from './programs/upstream.js'

/** Public, and recognisable as fake wherever it turns up. */
export const UPSTREAM_TOKEN = 'bench-upstream-token-not-a-secret'

/** The stand-in for Zendesk where speed is measured: a process that counts calls and can be slow. */
export class Upstream {
  readonly origin: string
  readonly #running: Running

  static async start(): Promise<Upstream> {
    const running = startProgram('upstream', [], { environment: { UPSTREAM_TOKEN } })
    const { port } = (await running.hear()) as { port: number }
    return new Upstream(running, `http://127.0.0.1:${port}`)
  }

  private constructor(running: Running, origin: string) {
    this.#running = running
    this.origin = origin
  }

  /** Also resets the count. */
  async behave(mode: UpstreamMode): Promise<void> {
    await this.#running.hear({ mode })
  }

  async calls(): Promise<number> {
    return ((await this.#running.hear({})) as UpstreamCount).calls
  }

  async stop(): Promise<void> {
    await this.#running.stop()
  }
}
