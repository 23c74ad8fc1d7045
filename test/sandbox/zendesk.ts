import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { SandboxAccount, type SandboxCredentials } from './account.js'
import { answerOf, type Answer } from './answers.js'
import { control } from './control.js'
import { answerApi, placeOf, type Place } from './endpoints.js'
import type { ReceivedRequest } from './exchange.js'
import { readFault } from './fault-reader.js'
import { FaultBoard, type Fault } from './faults.js'
import { Listener, type ListenOptions } from './listener.js'
import { misbehave } from './misbehaviour.js'
import { AccountLimit } from './rate-limit.js'
import { answerTokens, type TokenOptions } from './token-endpoint.js'
import { send } from './wire.js'

export { SANDBOX_CREDENTIALS, type SandboxCredentials } from './account.js'
export type { ReceivedRequest } from './exchange.js'
export type { Fault } from './faults.js'

/** By default on any free port of 127.0.0.1, without TLS. */
export interface SandboxOptions extends ListenOptions, TokenOptions {
  /** API calls a minute of the whole account; default 700. */
  limitPerMinute?: number
  /** Calls a minute of another integration, which count towards the limit; default 0. */
  otherPerMinute?: number
}

const KEPT_REQUESTS = 100_000

/** A sandbox Zendesk: answers on a real socket as the real one does, and misbehaves on demand. */
export class SandboxZendesk {
  /** All but `/sandbox/*`, in order of arrival. */
  readonly requests: ReceivedRequest[] = []
  readonly #account = new SandboxAccount()
  readonly #faults = new FaultBoard()
  readonly #limit: AccountLimit
  readonly #tokens: TokenOptions
  readonly #listener: Listener
  #origin = ''

  static async start(options: SandboxOptions = {}): Promise<SandboxZendesk> {
    const sandbox = new SandboxZendesk(options)
    sandbox.#origin = await sandbox.#listener.listen(options)
    return sandbox
  }

  private constructor({ tls, limitPerMinute = 700, otherPerMinute = 0, ...tokens }: SandboxOptions) {
    this.#limit = new AccountLimit(limitPerMinute, otherPerMinute)
    this.#tokens = tokens
    this.#listener = new Listener(tls, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        // A client may leave halfway through its request; any other error is a bug and must be seen.
        if (request.complete) throw error
      })
    })
  }

  /** The origin. */
  get url(): string {
    return this.#origin
  }

  /** The accepted credentials; change the fields to rotate them. */
  get credentials(): SandboxCredentials {
    return this.#account.credentials
  }

  /** What became of the requests of the other integration. */
  get other(): { requests: number; refused: number } {
    this.#limit.quota()
    return this.#limit.other
  }

  renewals(): ReceivedRequest[] {
    return this.#requestsOf('renew')
  }

  tokenRequests(): ReceivedRequest[] {
    return this.#requestsOf('token')
  }

  /** Adds the fault, or replaces the one with the same target; TypeError if there is no such fault. */
  misbehave(fault: Fault): void {
    this.#faults.post(readFault(fault))
  }

  heal(): void {
    this.#faults.clear()
  }

  /** Invalidates every access token issued so far. */
  revokeTokens(): void {
    this.#account.revokeTokens()
  }

  /** Ends hanging connections too. */
  async close(): Promise<void> {
    await this.#listener.close()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Clients leave at any moment; writing to them then is no error.
    response.on('error', () => undefined)
    if (request.url?.startsWith('/sandbox/'))
      return control(request, response, { faults: this.#faults, requests: this.requests })

    const received = this.#receive(request)
    received.body = await text(request)
    const place = placeOf(received.path)
    const withinLimit = !received.path.startsWith('/api/v2/') || this.#limit.take()
    const exchange = {
      request,
      response,
      received,
      tcp: this.#listener.tcpOf(request),
      origin: this.#origin,
      quota: () => this.#limit.quota(),
      normally: (as?: 'anonymous') => (withinLimit ? this.#answer(received, as) : this.#tooMany()),
    }
    const fault = this.#faults.strike(place)
    if (fault) await misbehave(fault, exchange)
    else send(exchange, exchange.normally())
  }

  #receive({ method = '', url = '', headers, rawHeaders }: IncomingMessage): ReceivedRequest {
    const received = { at: Date.now(), method, path: url, headers, rawHeaders, body: '' }
    this.requests.push(received)
    if (this.requests.length > KEPT_REQUESTS) this.requests.shift()
    return received
  }

  #answer({ method, path, headers, body }: ReceivedRequest, as?: 'anonymous'): Answer {
    const place = placeOf(path)
    if (place !== 'token')
      return answerApi(place, method, as ?? this.#account.standing(String(headers['authorization'] ?? '')))
    if (as === 'anonymous') return answerOf(401, 'invalid-client')
    const call = { method, contentType: String(headers['content-type'] ?? ''), body }
    return answerTokens(call, this.#account, this.#tokens)
  }

  #tooMany(): Answer {
    const answer = answerOf(429)
    return { ...answer, headers: { 'Retry-After': String(this.#limit.quota().resetSeconds) } }
  }

  #requestsOf(place: Place): ReceivedRequest[] {
    return this.requests.filter(({ path }) => placeOf(path) === place)
  }
}
