import accepts from '@fastify/accepts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { catalogue, type ProblemCode } from '../src/problems/catalogue.js'
import { PAGE_POLICY } from '../src/page.js'
import { problemPage, problemsPage, type DescribedType } from '../src/problems/pages.js'
import { Problem, problemTypeUri } from '../src/problems/problem.js'

/** What each problem type means and what to do: where the `type` of a problem leads. */
export default plugin(
  async (app) => {
    await app.register(accepts)
    app.get('/problems', { schema: answers('ProblemTypes') }, list)
    app.get('/problems/:code', { schema: answers('ProblemType') }, show)
  },
  { name: 'problems', dependencies: ['contract'] },
)

function list(this: FastifyInstance, request: FastifyRequest, reply: FastifyReply) {
  const types = codes.map((code) => describe(code, this.config.publicUrl))
  return wantsHtml(request) ? sendPage(reply, problemsPage(types, this.config.DOCS)) : { problems: types }
}

function show(this: FastifyInstance, request: FastifyRequest, reply: FastifyReply) {
  const { code } = request.params as { code: string }
  if (!isCode(code)) throw new Problem('not-found')
  const type = describe(code, this.config.publicUrl)
  return wantsHtml(request) ? sendPage(reply, problemPage(type, this.config.DOCS)) : type
}

const codes = Object.keys(catalogue) as ProblemCode[]

function isCode(code: string): code is ProblemCode {
  return Object.hasOwn(catalogue, code)
}

function describe(code: ProblemCode, publicUrl: string): DescribedType {
  return { type: problemTypeUri(code, publicUrl), code, ...catalogue[code] }
}

function wantsHtml(request: FastifyRequest): boolean {
  return request.type(['json', 'html']) === 'html'
}

function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', PAGE_POLICY)
    .serializer(String)
    .send(page)
}

function answers(schema: string) {
  return { response: { 200: { $ref: `openapi#/components/schemas/${schema}` } } }
}
