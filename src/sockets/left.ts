import type { IncomingMessage } from 'node:http'

/**
 * Whether the client can no longer read an answer. Writing one all the same costs more than nothing: on Node 20 many such
 * writes make V8 allocate every later response in old space, and each of them then survives until a mark-compact.
 */
export function hasLeft({ raw }: { raw: IncomingMessage }): boolean {
  return isClosedForWriting(raw.socket)
}

/** An injected request has a socket without `writable`. */
function isClosedForWriting({ writable }: { writable?: boolean }): boolean {
  return writable === false
}
