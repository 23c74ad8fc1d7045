import plugin from 'fastify-plugin'
import { Problem } from '../src/problems/problem.js'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** Answers where no route does: 405 where the path has routes for other methods (RFC 9110, section 15.5.6), else 404. */
export default plugin(
  (app, _options, done) => {
    const routes = new Set<string>()
    app.addHook('onRoute', ({ url }) => {
      routes.add(url)
    })
    app.setNotFoundHandler((request) => {
      const path = pathOf(request.url)
      if (path === undefined) throw new Problem('malformed-request')
      const urls = [...routes].filter((url) => fits(url, path))
      const methods = METHODS.filter((method) => urls.some((url) => app.hasRoute({ method, url })))
      // A route that allows the method, and found nothing, has thrown not-found itself.
      throw methods.length > 0 && !methods.some((method) => method === request.method)
        ? new Problem('method-not-allowed', { allow: methods.join(', ') })
        : new Problem('not-found')
    })
    done()
  },
  { name: 'not-found', dependencies: ['error-handler'] },
)

/** As the router reads it: without host and query, decoded. Undefined where it cannot be decoded. */
function pathOf(url: string): string | undefined {
  const path = url.replace(/^https?:\/\/[^/?]*/i, '').split('?', 1)[0] ?? ''
  try {
    return path === '' ? '/' : decodeURI(path)
  } catch {
    return undefined
  }
}

/** A route's pattern as Fastify has it: `:name` is one segment of the path, `*` all that follows. */
function fits(route: string, path: string): boolean {
  if (route.endsWith('*')) return path.startsWith(route.slice(0, -1))
  const parts = route.split('/')
  const given = path.split('/')
  return (
    parts.length === given.length &&
    parts.every((part, index) => part.startsWith(':') || part === given[index])
  )
}
