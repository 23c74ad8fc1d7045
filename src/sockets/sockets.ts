import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import type { CertificateFiles } from '../tls/certificate-files.js'
import { Answer } from './answer.js'
import {
  IN_FLIGHT_PER_CONNECTION,
  PIPELINED_IN_TOTAL,
  SOCKET_LIMITS,
  UNREAD_WHILE_CLOSING_MS,
} from './limits.js'
import { stopParsing } from './parser.js'
import { createTlsServer } from './tls-server.js'

const SWEEP_MS = 1_000
/** How long a flood of new connections may keep the listener open, in turns of the event loop. */
const MOST_TURNS = 1_000

/**
 * The connections of one listener, each with the answers in flight on it, oldest first. Node tracks both but exposes
 * neither, and limits neither what a client may pipeline nor how long it may leave an answer unread.
 */
export class Sockets {
  readonly #connections = new Map<Socket, Connection>()
  readonly #mostConnections: number
  readonly #certificates: CertificateFiles | undefined
  /** TCP connections whose TLS handshake is under way. */
  #handshakes = new Map<string, Socket>()
  #unreadMs: number
  /** Answers in flight beyond the first of each connection. */
  #pipelined = 0
  /** Connections so far. */
  #accepted = 0

  /**
   * @param unreadMs how long a client may take to read an answer.
   * @param mostConnections at a time; further ones are closed as they come.
   * @param certificates for https.
   */
  constructor(unreadMs: number, mostConnections: number, certificates?: CertificateFiles) {
    this.#certificates = certificates
    this.#unreadMs = unreadMs
    this.#mostConnections = mostConnections
  }

  /** For Fastify's option `serverFactory`: what is over the limits never reaches `handler`. */
  readonly createServer = (handler: RequestListener): Server => {
    const server = this.#listener((request, response) => {
      if (this.#admits(request, response)) handler(request, response)
    })
    server.maxConnections = this.#mostConnections
    // Node looks at the first 2000 headers only; maxHeaderSize bounds them all the same.
    server.maxHeadersCount = 0
    // RFC 9110, section 10.1.1: an unknown expectation may be ignored. Node would answer in plain text.
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      server.emit('request', request, response)
    })
    server.on('connection', () => (this.#accepted += 1))
    server.on(this.#certificates ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#watch(socket)
    })
    const sweep = setInterval(() => {
      this.#closeUnread()
    }, SWEEP_MS).unref()
    server.once('close', () => {
      clearInterval(sweep)
    })
    return server
  }

  /** The answers in flight on a connection, oldest first. */
  inFlight(socket: Socket): readonly ServerResponse[] {
    const connection = this.#connections.get(socket)
    if (connection) this.#forgetSettled(connection)
    return connection?.answers ?? []
  }

  /** Whether a request is still without its whole answer. One that its client does not read is not counted. */
  isBusy(): boolean {
    return [...this.#connections].some(
      ([socket, { answers }]) => !socket.destroyed && answers.some((answer) => !answer.writableEnded),
    )
  }

  /** From now on a kept-alive connection ends with the answers in flight on it. */
  endKeepAlive(): void {
    for (const { answers } of this.#connections.values()) {
      const last = answers.at(-1)
      if (last) last.shouldKeepAlive = false
    }
  }

  /** Accepts what waits for it, and then no more connections; those that are open stay. */
  async stopListening(server: Server): Promise<void> {
    // The kernel resets what still waits when the listener closes, and libuv accepts one connection in each turn.
    for (let accepted = -1, turns = 0; accepted !== this.#accepted && turns < MOST_TURNS; turns++) {
      accepted = this.#accepted
      await setImmediate()
      await setImmediate()
    }
    // The close of http would also end kept-alive connections, whose next request may be on its way.
    if (server.listening) NetServer.prototype.close.call(server)
  }

  /** Ends each connection: at once where no request has arrived in full, else with the last answer. */
  close(): void {
    this.#unreadMs = Math.min(this.#unreadMs, UNREAD_WHILE_CLOSING_MS)
    for (const socket of this.#handshakes.values()) socket.destroy()
    for (const [socket, connection] of this.#connections) {
      this.#forgetSettled(connection)
      const last = connection.answers.at(-1)
      if (last?.req.complete) endAfter(last, socket)
      else socket.destroy()
    }
  }

  #listener(handler: RequestListener): Server {
    // Missing and repeated Host headers are refused as problems; Node would answer in plain text.
    const options = { ...SOCKET_LIMITS, requireHostHeader: false, ServerResponse: Answer }
    if (!this.#certificates) return createServer(options, handler)
    const { server, handshakes } = createTlsServer(this.#certificates, options, handler)
    this.#handshakes = handshakes
    return server
  }

  #watch(socket: Socket): void {
    const connection: Connection = { answers: [], isOver: false, unread: undefined, unreadSince: 0 }
    this.#connections.set(socket, connection)
    // Node takes its own listener away where it hands a socket out (CONNECT); a reset would then end the process.
    socket.on('error', () => undefined)
    socket.once('close', () => {
      this.#connections.delete(socket)
      this.#pipelined -= Math.max(connection.answers.length - 1, 0)
      // Node tells only the answer that is being sent; those queued behind it have no socket yet, and would end unnoticed.
      for (const answer of connection.answers) if (!answer.closed) answer.emit('close')
    })
  }

  /** False where the request is dropped: its client has left, or has too many in flight. */
  #admits(request: IncomingMessage, response: ServerResponse): boolean {
    const { socket } = request
    const connection = this.#connections.get(socket)
    // What the parser had taken is delivered even after the socket was destroyed.
    if (!connection || connection.isOver || socket.destroyed) return false
    const { answers } = connection
    if (answers.length > 0) {
      this.#forgetSettled(connection)
      if (answers.length > 0 && !this.#mayPipeline(answers.length)) {
        this.#endOver(socket, connection)
        return false
      }
      if (answers.length > 0) this.#pipelined += 1
    }
    answers.push(response)
    // Node's parser skips what one read brings behind a request to switch protocols; what the next read brings is out of step.
    if (request.headers.upgrade !== undefined) {
      connection.isOver = true
      endAfter(response, socket)
    }
    return true
  }

  #mayPipeline(inFlight: number): boolean {
    return inFlight < IN_FLIGHT_PER_CONNECTION && this.#pipelined < PIPELINED_IN_TOTAL
  }

  /** RFC 9112, section 9.3.2: a client repeats what was not answered before the connection closed. */
  #endOver(socket: Socket, connection: Connection): void {
    connection.isOver = true
    socket.pause()
    stopParsing(socket)
    const last = connection.answers.at(-1)
    if (last) endAfter(last, socket)
    else socket.destroy()
  }

  #forgetSettled(connection: Connection): void {
    const { answers } = connection
    let settled = 0
    while (settled < answers.length && isSettled(answers[settled])) settled += 1
    if (settled === 0) return
    this.#pipelined -= Math.min(settled, answers.length - 1)
    answers.splice(0, settled)
  }

  #closeUnread(): void {
    const now = performance.now()
    for (const [socket, connection] of this.#connections) {
      this.#forgetSettled(connection)
      const [oldest] = connection.answers
      if (!oldest?.writableEnded) {
        connection.unread = undefined
      } else if (connection.unread !== oldest) {
        connection.unread = oldest
        connection.unreadSince = now
      } else if (now - connection.unreadSince >= this.#unreadMs) {
        socket.destroy()
      }
    }
  }
}

interface Connection {
  answers: ServerResponse[]
  /** It had more in flight than it may, or asked to switch protocols; nothing that still comes on it is answered. */
  isOver: boolean
  /** The complete answer that the last sweep found unread. */
  unread: ServerResponse | undefined
  /** On the clock of performance.now(). */
  unreadSince: number
}

function isSettled(answer: ServerResponse | undefined): boolean {
  return answer === undefined || answer.writableFinished || answer.closed
}

/** With `connection: close` where the head has not been written yet. */
function endAfter(last: ServerResponse, socket: Socket): void {
  last.shouldKeepAlive = false
  last.once('close', () => {
    socket.destroySoon()
  })
}
