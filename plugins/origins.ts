import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { isLoopbackHost } from '../src/loopback.js'
import { Problem } from '../src/problems/problem.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A request costs a call to Zendesk, so no image or link on a foreign page may make one. */
    costsCall?: boolean
  }
}

/** Keeps out pages of foreign origins and, in open mode, pages that reach us by a name of their own (DNS rebinding). */
export default plugin(
  (app, _options, done) => {
    const { access, corsOrigins, publicUrl } = app.config
    const publicHost = publicUrl === '' ? undefined : new URL(publicUrl).hostname
    const allowed = new Set(publicUrl === '' ? corsOrigins : [...corsOrigins, new URL(publicUrl).origin])

    app.addCheck((request) => {
      const { origin } = request.headers
      const foreign =
        origin === undefined ? isForeignLink(request) : !allowed.has(origin) && origin !== ownOrigin(request)
      if (foreign) return foreignOrigin(origin)
      return access === 'known' || isOurs(nameIn(request.headers.host)) ? undefined : foreignHost()
    })
    done()

    /** A page can point its own host name at our address, but it cannot make the browser send an IP address or our name. */
    function isOurs(name: string): boolean {
      return (
        isLoopbackHost(name) ||
        (access === 'anyone' && (isAddress(name) || name.toLowerCase() === publicHost))
      )
    }
  },
  { name: 'origins', dependencies: ['checks'] },
)

/** By the Host header alone: a page may make a browser send x-forwarded-host, and a trusted proxy may pass it on. */
function ownOrigin({ protocol, headers }: FastifyRequest): string {
  return `${protocol}://${headers.host ?? ''}`
}

function isAddress(name: string): boolean {
  return isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0
}

function nameIn(host = ''): string {
  return host.replace(/:\d*$/, '')
}

/** Browsers send no Origin for images and links, but Sec-Fetch-Site tells which page they are on (W3C Fetch Metadata). */
function isForeignLink({ headers, routeOptions }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site']
  return (site === 'cross-site' || site === 'same-site') && routeOptions.config.costsCall === true
}

/** It is the client's own text, so the log gets visible characters only, and not many. */
function foreignOrigin(origin: string | undefined): Problem {
  const shown = origin?.replace(/[^!-~]/g, '?').slice(0, 100)
  return new Problem('origin-not-allowed', {
    detail: 'This service does not accept calls from pages of this origin. Ask the operator to allow it.',
    logged: { reason: 'origin', ...(shown !== undefined && { origin: shown }) },
  })
}

function foreignHost(): Problem {
  return new Problem('origin-not-allowed', {
    detail: 'The Host header is not a name of this service. Address the service by its own name.',
    logged: { reason: 'host' },
  })
}
