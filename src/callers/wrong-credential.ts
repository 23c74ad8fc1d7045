import { Problem } from '../problems/problem.js'

/**
 * A credential that was never issued: an unknown or mistyped key, a forged token. They share one text, so that an attacker
 * does not learn how close a guess was, and a class, because each counts as a failed attempt of its address.
 */
export class WrongCredential extends Problem {
  /** For the log alone. */
  readonly reason: WrongReason

  constructor(reason: WrongReason, cause?: unknown) {
    super('caller-not-authenticated', { cause, challenge: { error: 'invalid_token' }, logged: { reason } })
    this.reason = reason
  }
}

/** `jwt-signature` also stands for an algorithm or a key id that the issuer does not use. */
type WrongReason = 'unknown-key' | 'unreadable-credential' | 'not-a-jwt' | 'jwt-issuer' | 'jwt-signature'
