import cors from '@fastify/cors'
import plugin from 'fastify-plugin'

const EXPOSED = 'x-request-id, retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset'

/** Lets pages of the configured origins read our answers, problems too. Foreign origins are refused further on. */
export default plugin(
  async (app) => {
    const origins = new Set(app.config.corsOrigins)
    if (origins.size === 0) return
    await app.register(cors, {
      origin: (origin, decide) => {
        decide(null, origin !== undefined && origins.has(origin))
      },
      methods: ['GET', 'POST'],
      allowedHeaders: ['authorization', 'content-type', 'x-request-id', 'traceparent'],
      // One text, since a list would be joined for each request.
      exposedHeaders: EXPOSED,
      // Chromium keeps it no longer than this, in seconds.
      maxAge: 7200,
      credentials: false,
      // It would answer in plain text.
      strictPreflight: false,
    })
  },
  { name: 'cors' },
)
