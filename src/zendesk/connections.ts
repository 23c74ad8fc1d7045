import { Client, type Dispatcher } from 'undici'
import type { ForwardProxies } from '../network/forward-proxies.js'
import { absoluteForm, outboundConnector } from '../network/outbound.js'

/** Zendesk's name may move to another address while the old one still accepts connections: an older one is not used again. */
const LONGEST_AGE_MS = 60_000
const KEEP_ALIVE_MS = 10_000

/** The connections to Zendesk: one call at a time on each, the one used last first, and a new one where none is idle. */
export class Connections {
  readonly #origin: string
  readonly #route: Route
  readonly #now: () => number
  readonly #open = new Set<Connection>()
  readonly #idle: Connection[] = []

  constructor(origin: string, proxies: ForwardProxies, connectMs: number, now = () => performance.now()) {
    this.#origin = origin
    this.#route = { connect: outboundConnector(proxies, connectMs), form: absoluteForm(proxies) }
    this.#now = now
  }

  take(): Connection {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      if (idle.isOpen && this.#now() - idle.openedAt <= LONGEST_AGE_MS) return idle
      this.discard(idle)
    }
    const opened = new Connection(this.#origin, this.#route, this.#now())
    this.#open.add(opened)
    opened.onceClosed(() => {
      this.discard(opened)
    })
    return opened
  }

  /** Takes a connection back whose answer has been read to its end. */
  keep(connection: Connection): void {
    connection.isReused = true
    if (connection.isOpen) this.#idle.push(connection)
    else this.discard(connection)
  }

  discard(connection: Connection): void {
    this.#open.delete(connection)
    const place = this.#idle.indexOf(connection)
    if (place >= 0) this.#idle.splice(place, 1)
    connection.destroy()
  }

  /** After an outage: what is idle may lead to the same place, so the next call looks the name up and connects anew. */
  discardIdle(): void {
    for (const connection of [...this.#idle]) this.discard(connection)
  }

  close(): void {
    for (const connection of [...this.#open]) this.discard(connection)
  }
}

/** One connection, opened by its first call. */
export class Connection {
  readonly openedAt: number
  /** Whether it has carried a call before, so that it may have died silently since. */
  isReused = false
  #socket: { bytesRead: number } | undefined
  readonly #client: Client
  readonly #dispatcher: Dispatcher
  readonly #origin: string

  constructor(origin: string, { connect, form }: Route, openedAt: number) {
    this.openedAt = openedAt
    this.#origin = origin
    this.#client = new Client(origin, {
      connect: (options, callback) => {
        connect(options, (...result) => {
          this.#socket = result[1] ?? undefined
          callback(...result)
        })
      },
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Backstops only: the deadline of the operation comes first.
      headersTimeout: 120_000,
      bodyTimeout: 120_000,
    })
    this.#dispatcher = this.#client.compose(form)
  }

  get isOpen(): boolean {
    return this.#client.stats.connected
  }

  /** So far, by all its calls: the errors of undici do not tell whether a part of an answer had come. */
  get bytesRead(): number {
    return this.#socket?.bytesRead ?? 0
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#dispatcher.dispatch({ origin: this.#origin, ...options }, handler)
  }

  onceClosed(act: () => void): void {
    this.#client.once('disconnect', act).once('connectionError', act)
  }

  /** Ends what is under way on it with this error. */
  destroy(error: Error | null = null): void {
    this.#client.destroy(error, () => undefined)
  }
}

interface Route {
  connect: ReturnType<typeof outboundConnector>
  form: Dispatcher.DispatcherComposeInterceptor
}
