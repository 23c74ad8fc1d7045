import type { IncomingMessage } from 'node:http'
import plugin from 'fastify-plugin'
import { Problem } from '../src/problems/problem.js'

/** Octets; RFC 9110, section 4.1, recommends to take at least 8000. */
const LONGEST_URL = 8000

/** Refuses what Node's parser lets through although two readers on the way could take it for different requests. */
export default plugin(
  (app, _options, done) => {
    // Node looks at the first 2000 headers only; maxHeaderSize bounds them all the same.
    app.server.maxHeadersCount = 0
    // RFC 9110, section 10.1.1, lets a server ignore an expectation that it does not know; Node would answer by itself.
    app.server.on('checkExpectation', (request: IncomingMessage, response) => {
      app.server.emit('request', request, response)
    })
    app.addHook('onRequest', ({ raw }, _reply, next) => {
      next(fault(raw))
    })
    done()
  },
  { name: 'well-formed', dependencies: ['error-handler'] },
)

function fault({ rawHeaders, httpVersion, url = '' }: IncomingMessage): Problem | undefined {
  if (url.length > LONGEST_URL) return new Problem('request-too-large', { status: 414 })
  // Node takes HTTP/2.0 in a request line of HTTP/1.
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return new Problem('malformed-request')
  const { count, host } = countHosts(rawHeaders)
  // RFC 9112, section 3.2: exactly one Host; only HTTP/1.0 knows none.
  if (count > 1 || (count === 0 && httpVersion !== '1.0')) return new Problem('malformed-request')
  if (!url.startsWith('/') && !isSameHost(url, host)) return new Problem('malformed-request')
  return undefined
}

function countHosts(rawHeaders: string[]): { count: number; host: string | undefined } {
  let count = 0
  let host
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.length !== 4 || rawHeaders[index]?.toLowerCase() !== 'host') continue
    count += 1
    host = rawHeaders[index + 1]
  }
  return { count, host }
}

/** RFC 9112, section 3.2.2: an absolute target names the host; ours must not be told another one by the header. */
function isSameHost(target: string, host: string | undefined): boolean {
  return /^https?:/i.test(target) && URL.canParse(target) && new URL(target).host === host?.toLowerCase()
}
