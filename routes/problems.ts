import type { FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { catalogue, type ProblemCode } from '../src/problems/catalogue.js'
import { PAGE_POLICY } from '../src/page.js'
import { problemPage, problemsPage, type DescribedType } from '../src/problems/pages.js'
import { Problem, problemTypeUri } from '../src/problems/problem.js'

/** What each problem type means and what to do: where the `type` of a problem leads. */
export default plugin(
  (app, _options, done) => {
    const { publicUrl, DOCS: hasDocs } = app.config
    const types = (Object.keys(catalogue) as ProblemCode[]).map((code) => describe(code, publicUrl))
    const list = { json: { problems: types }, page: Buffer.from(problemsPage(types, hasDocs)) }
    const one = new Map<string, Explanation>(
      types.map((type) => [type.code, { json: type, page: Buffer.from(problemPage(type, hasDocs)) }]),
    )
    app.get('/problems', { schema: answers('ProblemTypes') }, (request, reply) =>
      explain(list, request, reply),
    )
    app.get<{ Params: { code: string } }>(
      '/problems/:code',
      { schema: answers('ProblemType') },
      (request, reply) => explain(one.get(request.params.code), request, reply),
    )
    done()
  },
  { name: 'problems', dependencies: ['contract', 'error-handler'] },
)

/** Made once, since the catalogue never changes while the service runs. */
interface Explanation {
  json: object
  page: Buffer
}

function describe(code: ProblemCode, publicUrl: string): DescribedType {
  return { type: problemTypeUri(code, publicUrl), code, ...catalogue[code] }
}

function explain(known: Explanation | undefined, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!known) throw new Problem('not-found')
  if (request.type(['json', 'html']) !== 'html') return reply.send(known.json)
  return reply
    .headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': PAGE_POLICY })
    .send(known.page)
}

function answers(schema: string) {
  return { response: { 200: { $ref: `openapi#/components/schemas/${schema}` } } }
}
