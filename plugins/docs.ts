import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import type { OpenAPIV3 } from 'openapi-types'

/** Swagger UI at /docs, from this machine alone, and the contract itself. */
export default plugin(
  async (app) => {
    const { document, yaml } = app.contract
    // The types of @fastify/swagger end at OpenAPI 3.0; it hands the document on as it is.
    await app.register(swagger, {
      mode: 'static',
      specification: { document: document as OpenAPIV3.Document },
    })
    await app.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: POLICY,
      uiHooks: { onRequest: dropQuery },
      uiConfig: {
        // Without the bar for choosing another document: the policy refuses any other, and the bar's inline style.
        layout: 'BaseLayout',
        tryItOutEnabled: true,
        displayRequestDuration: true,
        persistAuthorization: false,
      },
      theme: { title: 'zendesk-session-proxy' },
    })

    app.get('/', (_request, reply) => reply.redirect('/docs'))
    app.get('/openapi.json', () => document)
    app.get('/openapi.yaml', (_request, reply) => reply.type('application/yaml').send(yaml))
  },
  { name: 'docs', dependencies: ['contract'] },
)

/** The page makes the addresses of its files from its own, query and all, and would find none of them. */
function dropQuery({ url, routeOptions }: FastifyRequest, reply: FastifyReply, next: () => void): void {
  if (url.includes('?') && routeOptions.url !== undefined) reply.redirect(routeOptions.url)
  else next()
}

/** No upgrade-insecure-requests: it would break plain http on every host but localhost. */
const POLICY = [
  "default-src 'none'",
  "base-uri 'none'",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "img-src 'self' data:",
  "script-src 'self'",
  "style-src 'self'",
].join('; ')
