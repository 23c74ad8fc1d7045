import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import plugin from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** The open connections, each with the last answer given or owed on it; undefined before the first request. */
    connections: ReadonlyMap<Socket, ServerResponse | undefined>
  }
}

/** Who is connected. Node knows it too, but tells nobody. */
export default plugin(
  (app, _options, done) => {
    const connections = new Map<Socket, ServerResponse | undefined>()
    app.decorate('connections', connections)
    app.server.on('connection', (socket: Socket) => {
      connections.set(socket, undefined)
      socket.once('close', () => connections.delete(socket))
    })
    app.server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      connections.set(socket, response)
    })
    done()
  },
  { name: 'connections' },
)
