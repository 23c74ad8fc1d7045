import plugin from 'fastify-plugin'
import { Problem } from '../src/problems.js'

/** Octets; RFC 9110, section 4.1, recommends to take at least 8000. */
const LONGEST_URL = 8000

/** No request has a body that matters: one within the limit is read and forgotten, of whatever content type it says to be. A URL has its limit, too. */
export default plugin(
  (app, _options, done) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, parsed) => {
      parsed(null)
    })
    app.addHook('onRequest', (request, _reply, next) => {
      // Fastify refuses a malformed content type before it looks for a parser.
      if (request.headers['content-type'] !== undefined) delete request.headers['content-type']
      const tooLong = (request.raw.url?.length ?? 0) > LONGEST_URL
      next(tooLong ? new Problem('request-too-large', { status: 414 }) : undefined)
    })
    done()
  },
  { name: 'bodies' },
)
