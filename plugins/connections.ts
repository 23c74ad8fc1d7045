import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import plugin from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** The open connections, each with the last answer given or owed on it; undefined before the first request. */
    connections: ReadonlyMap<Socket, ServerResponse | undefined>
    /** The answer that has to go out before this one; undefined where there was none when its request came. */
    answerBefore: (answer: ServerResponse) => ServerResponse | undefined
  }
}

/** Who is connected. Node knows it too, but tells nobody. */
export default plugin(
  (app, _options, done) => {
    const connections = new Map<Socket, ServerResponse | undefined>()
    const before = new WeakMap<ServerResponse, ServerResponse>()
    app.decorate('connections', connections)
    app.decorate('answerBefore', (answer) => before.get(answer))
    app.server.on('connection', (socket: Socket) => {
      connections.set(socket, undefined)
      socket.once('close', () => connections.delete(socket))
    })
    app.server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      const last = connections.get(socket)
      if (last && !last.writableFinished) before.set(response, last)
      connections.set(socket, response)
    })
    done()
  },
  { name: 'connections' },
)
