import proxy from '@fastify/http-proxy'
import Fastify from 'fastify'

// `bare`: one constant answer of the size of ours, which is what the framework itself costs. `http-proxy`:
// @fastify/http-proxy that adds the credential, with enough connections that their number is not the limit.
const { UPSTREAM = '', UPSTREAM_TOKEN = '' } = process.env
const app = Fastify()

if (process.argv[3] === 'bare') {
  const session = { authenticity_token: 'A'.repeat(86) }
  const properties = { authenticity_token: { type: 'string' } }
  app.get('/session/renew', { schema: { response: { 200: { type: 'object', properties } } } }, () => session)
} else {
  const authorization = `Bearer ${UPSTREAM_TOKEN}`
  await app.register(proxy, {
    upstream: UPSTREAM,
    prefix: '/session/renew',
    rewritePrefix: '/api/v2/users/me/session/renew',
    http2: false,
    undici: { connections: 1024, pipelining: 1 },
    replyOptions: { rewriteRequestHeaders: (_request, headers) => ({ ...headers, authorization }) },
  })
}

await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })
process.send?.({})
process.once('disconnect', () => process.exit())
