import plugin from 'fastify-plugin'

/** No request has a body that matters: one within the limit is read and forgotten, of whatever content type it says to be. */
export default plugin(
  (app, _options, done) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, parsed) => {
      parsed(null)
    })
    app.addHook('onRequest', (request, _reply, next) => {
      // Fastify refuses a malformed content type before it looks for a parser.
      if (request.headers['content-type'] !== undefined) delete request.headers['content-type']
      next()
    })
    done()
  },
  { name: 'bodies' },
)
