import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import { Problem } from '../src/problems/problem.js'
import { READ_BEFORE_CLOSING_MS } from '../src/sockets/limits.js'

declare module 'fastify' {
  interface FastifyInstance {
    lifecycle: Lifecycle
  }
  interface FastifyContextConfig {
    /** Answered in every phase of the process, and under any load. */
    always?: boolean
  }
}

/** Seconds after which another instance has surely taken over. */
const RETRY_AFTER = 5

/** The phases of the process: starting, ready, draining (not ready, still accepting), closing. */
export default plugin(
  (app, _options, done) => {
    const lifecycle = new Lifecycle(app)
    app.decorate('lifecycle', lifecycle)
    app.addHook('onListen', (next) => {
      lifecycle.phase = 'ready'
      next()
    })
    app.addCheck((request, reply) => {
      const { phase } = lifecycle
      // A kept-alive connection ends with this answer instead of holding up the exit.
      if (phase === 'draining' || phase === 'closing') reply.raw.shouldKeepAlive = false
      const refused = phase === 'closing' && !request.routeOptions.config.always
      return refused ? new Problem('service-unavailable', { retryAfter: RETRY_AFTER }) : undefined
    })
    app.addHook('preClose', () => lifecycle.close())
    done()
  },
  { name: 'lifecycle', dependencies: ['checks', 'sockets'] },
)

class Lifecycle {
  phase: 'starting' | 'ready' | 'draining' | 'closing' = 'starting'
  readonly #app: FastifyInstance

  constructor(app: FastifyInstance) {
    this.#app = app
  }

  /** Throws `service-unavailable` unless new work is welcome. */
  checkReady(): void {
    if (this.phase !== 'ready') throw new Problem('service-unavailable', { retryAfter: RETRY_AFTER })
  }

  /** Not ready from now on, while load balancers notice; milliseconds. */
  async drain(milliseconds: number): Promise<void> {
    this.phase = 'draining'
    this.#app.sockets.endKeepAlive()
    await delay(milliseconds)
  }

  /** Whether a request still waits for its answer. */
  isBusy(): boolean {
    return this.#app.sockets.isBusy()
  }

  /** Requests that had been sent before this are still read and answered; later ones find no listener. */
  async close(): Promise<void> {
    const { server, sockets } = this.#app
    if (server.listening) {
      this.phase = 'draining'
      sockets.endKeepAlive()
      await sockets.stopListening(server)
      await delay(READ_BEFORE_CLOSING_MS)
    }
    this.phase = 'closing'
    sockets.close()
  }
}
