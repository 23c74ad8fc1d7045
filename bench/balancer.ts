import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { portOf } from './ports.js'

const PROBE_EVERY_MS = 100

/**
 * Spreads connections over replicas in turn, those that are ready first, and skips one that refuses; below HTTP, like the
 * Service of a cluster, so that it can neither repeat nor repair anything.
 */
export class Balancer {
  readonly origin: string
  readonly #server: Server
  readonly #ready: Map<number, boolean>
  readonly #probing: NodeJS.Timeout
  #turn = 0

  static async start(ports: readonly number[]): Promise<Balancer> {
    const server = createServer({ allowHalfOpen: true })
    await once(server.listen(0, '127.0.0.1', 4096), 'listening')
    return new Balancer(server, ports)
  }

  private constructor(server: Server, ports: readonly number[]) {
    this.#server = server
    this.origin = `http://127.0.0.1:${portOf(server)}`
    this.#ready = new Map(ports.map((port) => [port, true]))
    this.#probing = setInterval(() => {
      for (const port of ports) void this.#probe(port)
    }, PROBE_EVERY_MS)
    server.on('connection', (caller: Socket) => {
      caller.on('error', () => undefined)
      this.#lead(caller, this.#order())
    })
  }

  isReady(port: number): boolean {
    return this.#ready.get(port) === true
  }

  async close(): Promise<void> {
    clearInterval(this.#probing)
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #probe(port: number): Promise<void> {
    const signal = AbortSignal.timeout(1_000)
    const status = await fetch(`http://127.0.0.1:${port}/readyz`, {
      signal,
      headers: { connection: 'close' },
    }).then(
      async (response) => (await response.arrayBuffer(), response.status),
      () => 0,
    )
    this.#ready.set(port, status === 200)
  }

  /** The next one in turn, then the others; unready ones only when nobody else is left. */
  #order(): number[] {
    const ports = [...this.#ready.keys()]
    this.#turn = (this.#turn + 1) % ports.length
    const inTurn = [...ports.slice(this.#turn), ...ports.slice(0, this.#turn)]
    return inTurn.sort((a, b) => Number(this.isReady(b)) - Number(this.isReady(a)))
  }

  #lead(caller: Socket, [port, ...others]: number[]): void {
    if (port === undefined || caller.destroyed) {
      caller.destroy()
      return
    }
    const replica = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const refused = () => {
      this.#lead(caller, others)
    }
    replica.once('error', refused)
    replica.once('connect', () => {
      replica.removeListener('error', refused)
      join(caller, replica)
      join(replica, caller)
    })
  }
}

/** Bytes, the end, and a failure go on to the other side. */
function join(from: Socket, to: Socket): void {
  from.pipe(to)
  from.once('error', () => {
    to.resetAndDestroy()
  })
  from.once('close', () => {
    to.destroySoon()
  })
}
