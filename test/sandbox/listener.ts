import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'

export interface ListenOptions {
  host?: string
  port?: number
  tls?: { key: string; cert: string }
}

/** A port and its open connections, which can be closed even if they hang. */
export class Listener {
  readonly #server: Server
  readonly #connections = new Map<string, Socket>()

  constructor(tls: ListenOptions['tls'], onRequest: RequestListener) {
    this.#server = tls ? createTlsServer(tls, onRequest) : createServer(onRequest)
    this.#server.keepAliveTimeout = 75_000
    this.#server.on('connection', (socket: Socket) => {
      const peer = peerOf(socket)
      this.#connections.set(peer, socket)
      socket.once('close', () => this.#connections.delete(peer))
    })
  }

  /** Resolves with the origin. */
  async listen({ host = '127.0.0.1', port = 0, tls }: ListenOptions): Promise<string> {
    await once(this.#server.listen(port, host), 'listening')
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the sandbox listens on TCP only')
    return `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${address.port}`
  }

  /** The TCP connection below a request: a TLS socket cannot send RST. */
  tcpOf({ socket }: IncomingMessage): Socket {
    return this.#connections.get(peerOf(socket)) ?? socket
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
    for (const socket of this.#connections.values()) socket.destroy()
    await closed
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? 0}`
}
