import type { Socket } from 'node:net'

/** What Node's parser expects from its own handler for a request that switches to another protocol. */
const SWITCHED_PROTOCOLS = 2

/**
 * Node's parser delivers all that one read has brought, up to 64 KiB or some 1,500 requests, also on a socket that was
 * paused or destroyed. As if the request had switched to another protocol, the parser stops and the rest is not looked at.
 */
export function stopParsing(
  socket: Socket & { parser?: { onIncoming?: (() => number) | null } | null },
): void {
  if (socket.parser?.onIncoming) socket.parser.onIncoming = () => SWITCHED_PROTOCOLS
}
