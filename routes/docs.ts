import type { FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { StoredFile } from '../src/docs/stored-file.js'
import { SWAGGER_UI_POLICY, swaggerUiFiles, swaggerUiPage } from '../src/docs/swagger-ui.js'

/** Swagger UI at /docs, from this machine alone, and the contract itself. */
export default plugin(
  (app, _options, done) => {
    const docs = `${app.config.publicPath}/docs`
    app.get('/', (_request, reply) => reply.redirect(docs))
    app.get('/docs/', (_request, reply) => reply.redirect(docs))
    app.get('/docs', (request, reply) =>
      send(swaggerUiPage, request, reply.header('content-security-policy', SWAGGER_UI_POLICY)),
    )
    for (const [name, file] of Object.entries(swaggerUiFiles))
      app.get<Versioned>(`/docs/static/${name}`, { config: { quiet: true } }, (request, reply) =>
        sendCacheable(file, request, reply),
      )

    const json = StoredFile.of('application/json; charset=utf-8', app.contract.json)
    const yaml = StoredFile.of('application/yaml', app.contract.yaml)
    app.get('/openapi.json', (request, reply) => send(json, request, reply))
    app.get('/openapi.yaml', (request, reply) => send(yaml, request, reply))
    done()
  },
  { name: 'docs-routes', dependencies: ['contract', 'error-handler'] },
)

interface Versioned {
  Querystring: { v?: unknown }
}

/** For a year under the address that names the version; else the browser has to ask whether it is still the same. */
async function sendCacheable(file: StoredFile, request: FastifyRequest<Versioned>, reply: FastifyReply) {
  const { version } = await file.content()
  const etag = `W/"${version}"`
  const isVersioned = request.query.v === version
  reply.headers({ etag, 'cache-control': isVersioned ? 'public, max-age=31536000, immutable' : 'no-cache' })
  return isKnown(etag, request) ? reply.code(304).send() : send(file, request, reply)
}

async function send(file: StoredFile, request: FastifyRequest, reply: FastifyReply) {
  const { plain, gzipped } = await file.content()
  // Beside the Origin that CORS may have put there.
  const vary = [reply.getHeader('vary') ?? [], 'accept-encoding'].flat().join(', ')
  reply.type(file.type).header('vary', vary)
  return request.encoding(['gzip', 'identity']) === 'gzip'
    ? reply.header('content-encoding', 'gzip').send(gzipped)
    : reply.send(plain)
}

/** Weak comparison (RFC 9110, section 13.1.2). */
function isKnown(etag: string, { headers }: FastifyRequest): boolean {
  const known = headers['if-none-match']?.split(',').map((each) => each.trim()) ?? []
  return known.some((each) => each === '*' || each === etag || `W/${each}` === etag)
}
