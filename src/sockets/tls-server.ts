import type { RequestListener, ServerOptions } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { CertificateFiles } from '../tls/certificate-files.js'
import { SOCKET_LIMITS } from './limits.js'

/** An https server with the certificates given. `handshakes` are the connections whose handshake is under way. */
export function createTlsServer(
  files: CertificateFiles,
  options: ServerOptions,
  handler: RequestListener,
): { server: Server; handshakes: Map<string, Socket> } {
  const server = createServer(
    {
      ...options,
      ...files.contextOptions(),
      handshakeTimeout: SOCKET_LIMITS.headersTimeout,
      requestCert: files.isMutual,
      rejectUnauthorized: files.isMutual,
    },
    handler,
  )
  // Node would hand these to the handler of parser errors, which answers in HTTP.
  server.removeAllListeners('tlsClientError')
  server.on('tlsClientError', (_error, socket: TLSSocket) => {
    socket.destroy()
  })
  const handshakes = new Map<string, Socket>()
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket)
    handshakes.set(peer, socket)
    socket.once('close', () => {
      if (handshakes.get(peer) === socket) handshakes.delete(peer)
    })
  })
  server.on('secureConnection', (socket: TLSSocket) => {
    handshakes.delete(peerOf(socket))
  })
  return { server, handshakes }
}

/** Both the TCP socket and the TLS socket on it know it, and nothing else of each other. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? ''}`
}
