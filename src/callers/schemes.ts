import type { CallerSchemes } from '../config/callers.js'
import type { ForwardProxies } from '../network/forward-proxies.js'
import { Problem } from '../problems/problem.js'
import type { SecretLog } from '../secret.js'
import type { Caller, CallerRequest } from './caller.js'
import { credentialFrom, looksLikeJwt, type Credential } from './credential.js'
import type { FailedAttempts } from './failed-attempts.js'
import type { IssuerLog } from './issuer-keys.js'
import { ownerOfKey } from './keys.js'
import { WrongCredential } from './wrong-credential.js'

/** A way in which callers prove who they are. Undefined where the credential is of another kind or unknown. */
type Scheme = (
  credential: Credential | undefined,
  request: CallerRequest,
) => Caller | Promise<Caller> | undefined

/** The schemes, in the order in which they are asked: each from its part of the configuration, where it is configured. */
const schemes: ((
  configured: CallerSchemes,
  context: Context,
) => Scheme | undefined | Promise<Scheme | undefined>)[] = [
  async ({ jwt }, { proxies, log, attempts, onClose }) => {
    if (!jwt) return undefined
    // Imported only where it is used: it costs memory and time at the start.
    const { Jwts } = await import('./jwts.js')
    const jwts = new Jwts(jwt, proxies, log, attempts)
    onClose(() => jwts.close())
    return (credential, request) =>
      credential?.scheme === 'bearer' && looksLikeJwt(credential.value)
        ? jwts.callerFrom(credential.value, request)
        : undefined
  },
  ({ keys }, { log, onClose }) => {
    if (!keys) return undefined
    keys.follow(log)
    onClose(() => {
      keys.unfollow()
    })
    return (credential) => credential && ownerOfKey(credential, keys.reveal())
  },
]

/** Tells who asks, or throws why that is not known. At once where the credential is a key or a JWT seen before. */
export async function startSchemes(
  configured: CallerSchemes,
  context: Context,
): Promise<(request: CallerRequest) => Caller | Promise<Caller>> {
  const active: Scheme[] = []
  for (const start of schemes) {
    const scheme = await start(configured, context)
    if (scheme) active.push(scheme)
  }
  return (request) => {
    const credential = credentialFrom(request.raw)
    for (const scheme of active) {
      const caller = scheme(credential, request)
      if (caller) return caller
    }
    if (!credential) throw new Problem('caller-not-authenticated', { logged: { reason: 'no-credential' } })
    if (credential.scheme === 'unreadable') throw new WrongCredential('unreadable-credential')
    throw new WrongCredential(configured.keys ? 'unknown-key' : 'not-a-jwt')
  }
}

interface Context {
  proxies: ForwardProxies
  log: IssuerLog & SecretLog
  attempts: FailedAttempts
  /** Calls the function when the service stops. */
  onClose: (stop: () => void | Promise<void>) => void
}
