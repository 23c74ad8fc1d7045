import { hear, startNode, type Running } from './processes.js'
import type { UpstreamCount, UpstreamMode } from './programs/upstream.js'
import { programPath } from './paths.js'

/** Public, and recognisable as fake wherever it turns up. */
export const UPSTREAM_TOKEN = 'bench-upstream-token-not-a-secret'

/** What stands in for Zendesk where speed is measured: a process that counts calls and can be slow or strict. */
export class Upstream {
  readonly origin: string
  readonly #running: Running

  static async start(): Promise<Upstream> {
    const running = startNode(programPath('upstream'), { args: [], environment: { UPSTREAM_TOKEN } })
    const { port } = await hear<{ port: number }>(running)
    return new Upstream(running, `http://127.0.0.1:${port}`)
  }

  private constructor(running: Running, origin: string) {
    this.#running = running
    this.origin = origin
  }

  /** Also sets the count back to nothing. */
  async behave(mode: UpstreamMode): Promise<void> {
    await hear<UpstreamCount>(this.#running, mode)
  }

  async count(): Promise<UpstreamCount> {
    return hear<UpstreamCount>(this.#running, 'count')
  }
}
