import type { SandboxAccount } from './account.js'
import { answerOf, type Answer } from './answers.js'
import { jsonAnswer } from './endpoints.js'

/** In seconds; a string is sent as a string; null omits it from the answer. */
export type TokenLifetime = number | string | null

/** What a test may set of the access tokens. */
export interface TokenOptions {
  /** By default what the client asks for, else 1800 seconds. */
  tokenLifetime?: TokenLifetime
  /** How long the API does not know a token yet, in milliseconds; default 0. */
  tokenLagMs?: number
}

export interface TokenCall {
  method: string
  contentType: string
  body: string
}

const USUAL_SECONDS = 1800

/** `POST /oauth/tokens`, for the one grant of confidential clients. */
export function answerTokens(
  call: TokenCall,
  account: SandboxAccount,
  { tokenLifetime: lifetime, tokenLagMs = 0 }: TokenOptions,
): Answer {
  if (call.method !== 'POST') return answerOf(404, 'invalid-endpoint')
  const grant = /\bjson\b/i.test(call.contentType) ? parseObject(call.body) : undefined
  if (!grant || typeof grant['grant_type'] !== 'string') return answerOf(400, 'invalid-request')
  if (grant['grant_type'] !== 'client_credentials') return answerOf(400, 'invalid-grant')

  const { clientId, clientSecret } = account.credentials
  if (grant['client_id'] !== clientId || grant['client_secret'] !== clientSecret)
    return answerOf(401, 'invalid-client')

  const scope = grant['scope']
  if (typeof scope !== 'string' || scope === '') return answerOf(400, 'invalid-scope')
  const asked = grant['expires_in']
  if (asked !== undefined && !isAllowed(asked)) return answerOf(400, 'invalid-request')

  // The lifetime set by a test takes precedence over what the client asks for.
  const told = lifetime === undefined ? (asked ?? USUAL_SECONDS) : lifetime
  const seconds = Number(told ?? asked ?? USUAL_SECONDS)
  return jsonAnswer(201, {
    access_token: account.mint(scope, Number.isNaN(seconds) ? USUAL_SECONDS : seconds, tokenLagMs),
    token_type: 'bearer',
    scope,
    ...(told === null ? {} : { expires_in: told }),
  })
}

function isAllowed(seconds: unknown): seconds is number {
  return Number.isInteger(seconds) && Number(seconds) >= 301 && Number(seconds) <= 172_799
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
