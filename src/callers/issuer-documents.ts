import { gunzipSync } from 'node:zlib'
import { request, type Dispatcher } from 'undici'
import { isIssuerUrl, type JwtConfig } from '../config/jwt.js'
import { version } from '../version.js'

/** For the discovery document and the keys together. */
export const DOCUMENTS_TIMEOUT_MS = 2_000
export const LARGEST_DOCUMENT = 256 * 1024
/** Some issuers, such as the Kubernetes API server, serve keys under the media type of RFC 7517 and no other. */
const ACCEPT = 'application/jwk-set+json, application/json'

/** Fetches the JWK Set of an issuer, as text, from where the configuration or the issuer's discovery document says. */
export async function fetchKeys(
  issuer: string,
  { jwksUrl, allowHttp }: Pick<JwtConfig, 'jwksUrl' | 'allowHttp'>,
  dispatcher: Dispatcher,
): Promise<string> {
  const options = { dispatcher, signal: AbortSignal.timeout(DOCUMENTS_TIMEOUT_MS) }
  return get(jwksUrl ?? (await discover(issuer, allowHttp, options)), options)
}

/** What is wrong with an issuer's answer, as a code for the log. */
export class IssuerError extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/** A remote issuer must not send us to a port of this machine, where anyone on it could answer in clear. */
export function mayHoldKeys(address: string, issuer: string, allowHttp = false): boolean {
  const isPlainAllowed = allowHttp || new URL(issuer).protocol === 'http:'
  return isIssuerUrl(address, allowHttp) && (address.startsWith('https:') || isPlainAllowed)
}

/** OpenID Connect Discovery 1.0, section 4; 4.3 says why the issuer must be exactly the same. */
async function discover(issuer: string, allowHttp: boolean, options: GetOptions): Promise<string> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const document: unknown = JSON.parse(await get(address, options))
  if (!isDiscovery(document)) throw new IssuerError('discovery-document-unusable')
  if (document.issuer !== issuer) throw new IssuerError('discovery-document-of-another-issuer')
  if (!mayHoldKeys(document.jwks_uri, issuer, allowHttp)) throw new IssuerError('discovery-document-unusable')
  return document.jwks_uri
}

/** Follows no redirect: it could lead anywhere. */
async function get(address: string, options: GetOptions): Promise<string> {
  const { statusCode, headers, body } = await request(address, {
    ...options,
    headers: { accept: ACCEPT, 'user-agent': `zendesk-session-proxy/${version}` },
    reset: true,
  })
  const bytes = Buffer.from(await body.arrayBuffer())
  if (statusCode !== 200) throw new IssuerError(`status-${statusCode}`)
  return decoded(bytes, headers['content-encoding']).toString()
}

interface GetOptions {
  dispatcher: Dispatcher
  signal: AbortSignal
}

/** Some servers compress although nobody asked for it. */
function decoded(bytes: Buffer, encoding: string | string[] | undefined): Buffer {
  const coding = String(encoding ?? 'identity')
    .trim()
    .toLowerCase()
  if (coding === 'identity') return bytes
  if (coding !== 'gzip' && coding !== 'x-gzip') throw new IssuerError('unknown-content-encoding')
  return gunzipSync(bytes, { maxOutputLength: LARGEST_DOCUMENT })
}

function isDiscovery(value: unknown): value is { issuer: string; jwks_uri: string } {
  if (typeof value !== 'object' || value === null || !('issuer' in value) || !('jwks_uri' in value))
    return false
  return typeof value.issuer === 'string' && typeof value.jwks_uri === 'string'
}
