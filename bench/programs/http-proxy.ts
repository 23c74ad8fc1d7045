import proxy from '@fastify/http-proxy'
import Fastify from 'fastify'

const { UPSTREAM = '', UPSTREAM_TOKEN = '' } = process.env

/** @fastify/http-proxy with nothing but the credential put in, and connections enough not to be held up by their number. */
const app = Fastify()
await app.register(proxy, {
  upstream: UPSTREAM,
  prefix: '/session/renew',
  rewritePrefix: '/api/v2/users/me/session/renew',
  http2: false,
  undici: { connections: 1024, pipelining: 1 },
  replyOptions: {
    rewriteRequestHeaders: (_request, headers) => ({ ...headers, authorization: `Bearer ${UPSTREAM_TOKEN}` }),
  },
})

const origin = await app.listen({ host: '127.0.0.1', port: 0 })
process.send?.({ port: Number(new URL(origin).port) })
process.once('disconnect', () => process.exit())
