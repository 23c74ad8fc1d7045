import { inspect } from 'node:util'
import type { Problem } from '../problems/problem.js'
import type { Secret } from '../secret.js'
import type { Deadline } from './deadline.js'

/** What proves to Zendesk who we are. Shown nowhere, however it is printed. */
export interface Credentials {
  /** The value of the Authorization header, or why there is none. */
  authorization(deadline: Deadline): Promise<string | Problem>
  /** Told that Zendesk accepted this value. */
  accepted(authorization: string): void
  /** Told that Zendesk refused this value. */
  refused(authorization: string): Remedy
  /** What must not come back from Zendesk and go further. */
  secrets(): string[]
}

/** After a refusal: 'another' credential can be had at once, Zendesk may not know a 'new' one yet, or there is 'none'. */
export type Remedy = 'another' | 'new' | 'none'

/** A bearer token that somebody else minted. */
export class BearerToken implements Credentials {
  readonly #token: Secret

  constructor(token: Secret) {
    this.#token = token
  }

  [inspect.custom](): string {
    return '[Zendesk credentials]'
  }

  authorization(): Promise<string> {
    return Promise.resolve(`Bearer ${this.#token.reveal()}`)
  }

  accepted(): void {
    // Nothing depends on it.
  }

  refused(authorization: string): Remedy {
    this.#token.refresh()
    return authorization === `Bearer ${this.#token.reveal()}` ? 'none' : 'another'
  }

  secrets(): string[] {
    return this.#token.known()
  }
}

/** E-mail with an API token (`email/token:token`) or with a password (`email:password`), as HTTP Basic (RFC 7617). */
export class BasicCredentials implements Credentials {
  readonly #user: string
  readonly #password: Secret

  constructor(user: string, password: Secret) {
    this.#user = user
    this.#password = password
  }

  [inspect.custom](): string {
    return '[Zendesk credentials]'
  }

  authorization(): Promise<string> {
    return Promise.resolve(this.#header())
  }

  accepted(): void {
    // Nothing depends on it.
  }

  refused(authorization: string): Remedy {
    this.#password.refresh()
    return authorization === this.#header() ? 'none' : 'another'
  }

  secrets(): string[] {
    return this.#password.known().flatMap((password) => [password, `${this.#user}:${password}`])
  }

  #header(): string {
    return `Basic ${Buffer.from(`${this.#user}:${this.#password.reveal()}`).toString('base64')}`
  }
}
