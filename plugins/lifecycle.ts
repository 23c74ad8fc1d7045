import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import { Problem } from '../src/problems/problem.js'

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
    const lifecycle = new Lifecycle(app.connections)
    app.decorate('lifecycle', lifecycle)
    app.addHook('onListen', (next) => {
      lifecycle.phase = 'ready'
      next()
    })
    app.addHook('onRequest', (request, reply, next) => {
      const { phase } = lifecycle
      if (phase === 'draining' || phase === 'closing') endWith(reply.raw)
      const refused = phase === 'closing' && !request.routeOptions.config.always
      next(refused ? new Problem('service-unavailable', { retryAfter: RETRY_AFTER }) : undefined)
    })
    app.addHook('preClose', (next) => {
      lifecycle.close()
      next()
    })
    done()
  },
  { name: 'lifecycle', dependencies: ['connections'] },
)

/** Says `connection: close`, so that a kept-alive connection ends with this answer instead of holding the exit up. */
function endWith(answer: ServerResponse): ServerResponse {
  answer.shouldKeepAlive = false
  return answer
}

class Lifecycle {
  phase: 'starting' | 'ready' | 'draining' | 'closing' = 'starting'
  readonly #connections: FastifyInstance['connections']

  constructor(connections: FastifyInstance['connections']) {
    this.#connections = connections
  }

  /** Throws `service-unavailable` unless new work is welcome. */
  checkReady(): void {
    if (this.phase !== 'ready') throw new Problem('service-unavailable', { retryAfter: RETRY_AFTER })
  }

  /** Not ready from now on, while balancers notice; milliseconds. */
  async drain(milliseconds: number): Promise<void> {
    this.phase = 'draining'
    for (const answer of this.#connections.values()) if (answer) endWith(answer)
    await delay(milliseconds)
  }

  /** Whether anybody still waits for the end of an answer. */
  isBusy(): boolean {
    return [...this.#connections].some(
      ([socket, answer]) => !socket.destroyed && answer && !answer.writableFinished,
    )
  }

  close(): void {
    this.phase = 'closing'
    for (const [socket, answer] of this.#connections) {
      // What has arrived in full is answered. Node closes connections that are idle after a request, but neither those that
      // never sent one nor those whose answer is on its way by now.
      if (!answer?.req.complete || answer.writableFinished) socket.destroy()
      else
        endWith(answer).once('close', () => {
          socket.destroySoon()
        })
    }
  }
}
