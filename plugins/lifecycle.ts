import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import plugin from 'fastify-plugin'
import { Problem } from '../src/problems.js'

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
    const lifecycle = new Lifecycle()
    app.decorate('lifecycle', lifecycle)
    app.addHook('onListen', (next) => {
      lifecycle.phase = 'ready'
      next()
    })
    app.addHook('onRequest', (request, _reply, next) => {
      const refused = lifecycle.phase === 'closing' && !request.routeOptions.config.always
      next(refused ? new Problem('service-unavailable', { retryAfter: RETRY_AFTER }) : undefined)
    })
    app.addHook('onSend', (_request, reply, _payload, next) => {
      // So that kept-alive connections end with their answer instead of holding the exit up.
      if (lifecycle.phase === 'draining' || lifecycle.phase === 'closing') reply.header('connection', 'close')
      next()
    })
    const sockets = new Set<Socket>()
    app.server.on('connection', (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    app.addHook('preClose', (next) => {
      lifecycle.phase = 'closing'
      // Node closes those that are idle after a request, but waits for those that never sent one.
      for (const socket of sockets) if (!hasRequest(socket)) socket.destroy()
      next()
    })
    done()
  },
  { name: 'lifecycle' },
)

/** Whether a request on this connection waits for its answer. */
function hasRequest(socket: Socket & { _httpMessage?: unknown }): boolean {
  return Boolean(socket._httpMessage)
}

class Lifecycle {
  phase: 'starting' | 'ready' | 'draining' | 'closing' = 'starting'

  /** Throws `service-unavailable` unless new work is welcome. */
  checkReady(): void {
    if (this.phase !== 'ready') throw new Problem('service-unavailable', { retryAfter: RETRY_AFTER })
  }

  /** Not ready from now on, while balancers notice; milliseconds. */
  async drain(milliseconds: number): Promise<void> {
    this.phase = 'draining'
    await delay(milliseconds)
  }
}
