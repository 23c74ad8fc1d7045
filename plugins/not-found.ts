import plugin from 'fastify-plugin'
import { Problem } from '../src/problems.js'

/** What no route answers: 405 where the path has routes for other methods (RFC 9110, section 15.5.6), else 404. */
export default plugin(
  (app, _options, done) => {
    const allowed = new Map<string, Set<string>>()
    app.addHook('onRoute', ({ url, method }) => {
      const methods = allowed.get(url) ?? new Set()
      for (const each of [method].flat()) methods.add(each)
      allowed.set(url, methods)
    })
    app.setNotFoundHandler((request) => {
      const path = pathOf(request.url)
      const methods = new Set([...allowed].flatMap(([route, names]) => (fits(route, path) ? [...names] : [])))
      // A route that takes the method, and found nothing, says so itself.
      throw methods.size > 0 && !methods.has(request.method)
        ? new Problem('method-not-allowed', { allow: [...methods].sort().join(', ') })
        : new Problem('not-found')
    })
    done()
  },
  { name: 'not-found', dependencies: ['error-handler'] },
)

/** As the router reads it: without host and query, decoded. That it can be decoded was looked at before. */
function pathOf(url: string): string {
  const path = url.replace(/^https?:\/\/[^/]*/i, '').split('?', 1)[0] ?? ''
  return decodeURI(path)
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
