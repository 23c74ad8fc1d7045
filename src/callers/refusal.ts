import { Problem } from '../problems/problem.js'

/**
 * A credential that was never issued: an unknown or mistyped key, a forged token. They share one text, so that an attacker
 * does not learn how close a guess was, and a class, because each counts as a failed attempt of its address.
 */
export class WrongCredential extends Problem {
  constructor(cause?: unknown) {
    super('caller-not-authenticated', { cause, challenge: 'invalid_token' })
  }
}
