import { inspect } from 'node:util'
import type { Problem } from '../problems/problem.js'
import type { Secret } from '../secret.js'
import type { Deadline } from './deadline.js'

/** What proves to Zendesk who we are. Shown nowhere, however it is printed. */
export interface Credentials {
  /** The value of the Authorization header, or why there is none. */
  authorization(deadline: Deadline): Promise<string | Problem>
  /** Told that Zendesk refused this value: true where another one may be had at once. */
  refused(authorization: string): boolean
  /** What must not come back from Zendesk and go further. */
  secrets(): string[]
}

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

  refused(authorization: string): boolean {
    return this.#token.refresh() || authorization !== `Bearer ${this.#token.reveal()}`
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

  refused(authorization: string): boolean {
    return this.#password.refresh() || authorization !== this.#header()
  }

  secrets(): string[] {
    return this.#password.known().flatMap((password) => [password, `${this.#user}:${password}`])
  }

  #header(): string {
    return `Basic ${Buffer.from(`${this.#user}:${this.#password.reveal()}`).toString('base64')}`
  }
}
