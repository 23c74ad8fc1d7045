import type { IncomingMessage } from 'node:http'
import plugin from 'fastify-plugin'
import { Problem } from '../src/problems/problem.js'

/** Octets; RFC 9110, section 4.1, recommends that at least 8000 are supported. */
const LONGEST_URL = 8000

/** Refuses what Node's parser accepts but intermediaries may parse differently (request smuggling). */
export default plugin(
  (app, _options, done) => {
    app.addCheck(({ raw }, reply) => {
      const problem = violation(raw)
      // What follows on this connection may be the rest of another request.
      if (problem?.code === 'malformed-request') reply.header('connection', 'close')
      return problem
    })
    done()
  },
  { name: 'well-formed', dependencies: ['checks'] },
)

function violation({ headers, rawHeaders, httpVersion, url = '' }: IncomingMessage): Problem | undefined {
  if (url.length > LONGEST_URL) return new Problem('request-too-large', { status: 414 })
  const { count, host } = countHosts(rawHeaders)
  const isOld = httpVersion === '1.0'
  const malformed =
    // Node accepts HTTP/2.0 in a request line of HTTP/1.
    (httpVersion !== '1.1' && !isOld) ||
    // RFC 9112, section 3.2: exactly one Host; HTTP/1.0 may omit it.
    count > 1 ||
    (count === 0 && !isOld) ||
    // RFC 9112, section 6.1: HTTP/1.0 knows no transfer codings, so the framing is faulty.
    (isOld && headers['transfer-encoding'] !== undefined) ||
    // RFC 9112, section 3.2: a request target has no fragment. Readers disagree on where such a path ends.
    url.includes('#') ||
    (!url.startsWith('/') && !isSameHost(url, host))
  return malformed ? new Problem('malformed-request') : undefined
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

/** RFC 9112, section 3.2.2: an absolute target names the host, and the Host header must agree with it. */
function isSameHost(target: string, host: string | undefined): boolean {
  return /^https?:/i.test(target) && URL.canParse(target) && new URL(target).host === host?.toLowerCase()
}
