import { Problem } from '../problems/problem.js'

/**
 * A credential that nobody has issued: an unknown or mistyped key, a forged token. One text for all of them, so that nobody
 * learns how near they came; and a class, since these are counted against whoever guesses.
 */
export class WrongCredential extends Problem {
  constructor(cause?: unknown) {
    super('caller-not-authenticated', { cause, challenge: 'invalid_token' })
  }
}
