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
  /** The status sent; absent while there is none, and where what was sent is no HTTP. */
  status?: number
}

/** One request and everything needed to answer it, well or badly. */
export interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  received: ReceivedRequest
  /** The TCP connection, under TLS as well: only this one can be reset. */
  tcp: Socket
  /** The sandbox's own origin. */
  origin: string
  quota: () => Quota
  /** What a healthy Zendesk says to these credentials; `anonymous` forgets that there are any. */
  normally: (as?: 'anonymous') => Answer
}
