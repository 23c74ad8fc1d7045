import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import { Problem } from '../src/problems.js'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** What no route answers: 405 where the contract has the path with other methods (RFC 9110, section 15.5.6), else 404. */
export default plugin(
  (app, _options, done) => {
    app.setNotFoundHandler((request) => {
      const allow = allowedMethods(app, request.url.split('?', 1)[0] ?? '')
      throw allow === '' ? new Problem('not-found') : new Problem('method-not-allowed', { allow })
    })
    done()
  },
  { name: 'not-found', dependencies: ['error-handler', 'contract'] },
)

function allowedMethods(app: FastifyInstance, path: string): string {
  const template = Object.keys(app.contract.document.paths ?? {}).find((each) => fits(each, path))
  if (template === undefined) return ''
  const url = template.replace(/\{(\w+)\}/g, ':$1')
  return METHODS.filter((method) => app.hasRoute({ method, url })).join(', ')
}

function fits(template: string, path: string): boolean {
  const parts = template.split('/')
  const given = path.split('/')
  return (
    parts.length === given.length &&
    parts.every((part, index) => part.startsWith('{') || part === given[index])
  )
}
