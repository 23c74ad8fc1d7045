import type { IncomingMessage } from 'node:http'

/** Who asks. */
export interface Caller {
  /** For the log and the rate limit. */
  readonly name: string
  /** The beginning of the digest of its key, for the log: tells which of two keys of one name is still in use. */
  readonly keyId?: string
}

/** What is known of a request before its caller is. */
export interface CallerRequest {
  readonly raw: IncomingMessage
  readonly ip: string
}
