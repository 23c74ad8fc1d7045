import plugin from 'fastify-plugin'

/** No request has a body that matters: one within the limit is read and forgotten, of whatever content type it says to be. */
export default plugin(
  (app, _options, done) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, parsed) => {
      parsed(null)
    })
    app.addCheck(({ method, headers }, reply) => {
      // Fastify refuses a malformed content type before it looks for a parser, and a QUERY without any.
      if (method === 'QUERY') headers['content-type'] = 'application/octet-stream'
      else if (headers['content-type'] !== undefined) delete headers['content-type']
      // Fastify leaves the body of a GET unread; what is left of it must not be taken for the next request.
      const unread =
        method === 'GET' && (headers['content-length'] ?? headers['transfer-encoding']) !== undefined
      if (unread) reply.header('connection', 'close')
      return undefined
    })
    done()
  },
  { name: 'bodies', dependencies: ['checks'] },
)
