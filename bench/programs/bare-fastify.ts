import Fastify from 'fastify'

/** Fastify with nothing but one constant answer of the size of ours: what the framework itself costs. */
const app = Fastify()
const schema = {
  response: { 200: { type: 'object', properties: { authenticity_token: { type: 'string' } } } },
}
const session = { authenticity_token: 'A'.repeat(86) }
app.get('/session/renew', { schema }, () => session)

const origin = await app.listen({ host: '127.0.0.1', port: 0 })
process.send?.({ port: Number(new URL(origin).port) })
process.once('disconnect', () => process.exit())
