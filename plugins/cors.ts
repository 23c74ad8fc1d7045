import type { IncomingHttpHeaders } from 'node:http'
import plugin from 'fastify-plugin'

const EXPOSED = 'x-request-id, retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset'

/** What callers use; any other header may come too, since tracing libraries add their own. */
const USUAL_HEADERS = 'authorization, content-type, x-request-id, traceparent'

const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST',
  // Chromium keeps it no longer than this, in seconds.
  'access-control-max-age': '7200',
}

/**
 * Lets pages of the configured origins read our answers, problems too, and answers their preflights (Fetch standard, HTTP
 * extensions, CORS protocol). Foreign origins are refused by a later check.
 */
export default plugin(
  (app, _options, done) => {
    const origins = new Set(app.config.corsOrigins)
    if (origins.size > 0)
      app.addCheck((request, reply) => {
        reply.header('vary', 'Origin')
        const { origin } = request.headers
        if (origin === undefined || !origins.has(origin)) return undefined
        reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', EXPOSED)
        if (request.method !== 'OPTIONS') return undefined
        reply
          .code(204)
          .headers(PREFLIGHT)
          .header('access-control-allow-headers', allowedHeaders(request.headers))
          .send()
        return 'answered'
      })
    done()
  },
  { name: 'cors', dependencies: ['checks'] },
)

/** By name, since `*` means no header at all to older web views. Names only: the header is the client's own text. */
function allowedHeaders({ 'access-control-request-headers': requested = '' }: IncomingHttpHeaders): string {
  const names = requested.toLowerCase().match(/[\w!#$%&'*+.^`|~-]+/g) ?? []
  return [...new Set([...USUAL_HEADERS.split(', '), ...names])].join(', ')
}
