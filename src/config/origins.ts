import { isIP } from 'node:net'
import { withoutPort } from '../callers/network.js'
import type { Faults } from './faults.js'
import { listOf } from './list.js'
import { variables, type Environment } from './variables.js'

/** The origins of web pages and apps that may call. */
export function corsOrigins(environment: Environment, faults: Faults): string[] {
  const origins = listOf(environment.CORS_ORIGINS)
  if (!origins.every(isOrigin))
    faults.add(['CORS_ORIGINS'], `${variables.CORS_ORIGINS.should}; no *, no null, no path, lower case`)
  return origins
}

export function trustedProxies(environment: Environment, faults: Faults): string[] {
  const ranges = listOf(environment.TRUST_PROXY).map(withoutPort)
  if (!ranges.every(isRange)) faults.add(['TRUST_PROXY'], variables.TRUST_PROXY.should)
  return ranges
}

/** As a browser or a web view sends it: of any scheme, since apps are served from ones such as capacitor: and tauri:. */
function isOrigin(origin: string): boolean {
  if (origin !== origin.toLowerCase() || origin.includes('*') || !URL.canParse(origin)) return false
  const url = new URL(origin)
  if (/^(ftp|file|wss?):$/.test(url.protocol)) return false
  // Of schemes that the web does not know, URL gives `null` as the origin (WHATWG URL, section 4.7).
  const own = /^https?:$/.test(url.protocol) ? url.origin : `${url.protocol}//${url.host}`
  return url.host !== '' && own === origin
}

function isRange(range: string): boolean {
  const [address = '', prefix, ...rest] = range.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return (
    prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
  )
}
