import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Answer } from './answers.js'
import type { Quota } from './rate-limit.js'

export interface ReceivedRequest {
  /** Milliseconds since the epoch. */
  at: number
  method: string
  path: string
  headers: Record<string, string | string[] | undefined>
  rawHeaders: string[]
  body: string
  /** The status sent; absent until then, and if the answer was not HTTP. */
  status?: number
}

/** One request and everything needed to answer it, correctly or not. */
export interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  received: ReceivedRequest
  /** The TCP connection, under TLS as well: only this one can be reset. */
  tcp: Socket
  /** The sandbox's own origin. */
  origin: string
  quota: () => Quota
  /** What a healthy Zendesk answers to these credentials; `anonymous` ignores them. */
  normally: (as?: 'anonymous') => Answer
}
