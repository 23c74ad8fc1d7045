import { errors, jwtVerify, type JWTPayload, type ProtectedHeaderParameters } from 'jose'
import type { Problem } from '../problems/problem.js'
import { refusedClaim } from './access-token.js'
import { unusableKey, type IssuerKeys } from './issuer-keys.js'
import { ALGORITHMS, type KeySet } from './key-set.js'
import { WrongCredential } from './wrong-credential.js'

/**
 * How many keys are tried for a token that does not name its key. An issuer with several keys must name it (OpenID Connect
 * Core 1.0, section 10.1), and each key costs a signature.
 */
const MOST_KEYS_TRIED = 4
const CLOCK_TOLERANCE_SECONDS = 5

/** A token whose signature, issuer and dates are good. */
export interface SignedToken {
  payload: JWTPayload
  /** Those that verified it. */
  keys: KeySet
}

/**
 * @param allow is told how many signatures are to be computed; throws where that must not be done.
 * @throws {Problem} `caller-not-authenticated` or `identity-provider-unavailable`.
 */
export async function verifySignature(
  token: string,
  header: ProtectedHeaderParameters,
  issuer: IssuerKeys,
  allow: (signatures: number) => void,
): Promise<SignedToken> {
  const first = await tryKeys(token, header, issuer, allow)
  if (first) return first
  // A key may have been replaced by one of the same name, or of none.
  const second = (await issuer.refresh()) ? await tryKeys(token, header, issuer, allow) : undefined
  if (second) return second
  throw new WrongCredential('jwt-signature')
}

/** Undefined where the signature is of no published key. */
async function tryKeys(
  token: string,
  header: ProtectedHeaderParameters,
  issuer: IssuerKeys,
  allow: (signatures: number) => void,
): Promise<SignedToken | undefined> {
  const { keys, candidates } = await issuer.candidatesFor(header)
  const tried = candidates.slice(0, MOST_KEYS_TRIED)
  allow(tried.length)
  let unusable: Problem | undefined
  for (const candidate of tried) {
    try {
      const key = await keys.imported(candidate, header.alg ?? '')
      const { payload } = await jwtVerify(token, key, {
        issuer: issuer.issuer,
        algorithms: ALGORITHMS,
        requiredClaims: ['exp'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      })
      return { payload, keys }
    } catch (error) {
      // jose's own errors are about the token. Any other is about a key that should not have been published.
      if (!(error instanceof errors.JOSEError)) unusable = unusableKey(error)
      else if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw refused(error)
    }
  }
  if (unusable) throw unusable
  return undefined
}

/** jose looks at the claims once the signature is good. */
function refused(error: errors.JOSEError): Problem {
  const isClaim = error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired
  return isClaim ? refusedClaim(error) : new WrongCredential('not-a-jwt', error)
}
