import { Server as TlsServer } from 'node:tls'
import plugin from 'fastify-plugin'
import { HandshakeFailures } from '../src/sockets/handshake-failures.js'

/** Where this service speaks https itself: new connections get the certificate that the files hold now, and failed handshakes are logged. */
export default plugin(
  (app, _options, done) => {
    const { config, log } = app
    const server: unknown = app.server
    if (!config.tls || !(server instanceof TlsServer)) {
      done()
      return
    }
    const { tls } = config
    const failures = new HandshakeFailures(log)
    server.on('tlsClientError', (error, socket) => {
      failures.add(error, socket.authorizationError)
    })
    tls.follow(log, () => {
      server.setSecureContext(tls.contextOptions())
    })
    app.addHook('onClose', (_app, closed) => {
      tls.unfollow()
      closed()
    })
    done()
  },
  { name: 'tls', dependencies: ['sockets'] },
)
