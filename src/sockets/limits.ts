import { readFileSync } from 'node:fs'

/** What a connection may cost, for every port of this service. In milliseconds and octets. */
export const SOCKET_LIMITS = {
  bodyLimit: 1024,
  requestTimeout: 10_000,
  // Longer than load balancers keep an idle connection (60 s as a rule), so that it is their side that closes it.
  keepAliveTimeout: 72_000,
  headersTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16 * 1024,
}

/** Requests that one connection may have in flight (HTTP pipelining); hardly any client sends a second one. */
export const IN_FLIGHT_PER_CONNECTION = 16

/** Pipelined requests in flight on all connections together, beyond the first of each. */
export const PIPELINED_IN_TOTAL = 2_000

/** On top of the deadline of a renewal: how long a client may take to read an answer. */
export const UNREAD_ANSWER_MS = 15_000

/** The same once the service is closing. */
export const UNREAD_WHILE_CLOSING_MS = 1_000

/** How long what has arrived at the end of SHUTDOWN_DELAY_MS may take to be read. */
export const READ_BEFORE_CLOSING_MS = 250

/** How many the metrics listener accepts: scrapers, and people who look at it. */
export const METRICS_CONNECTIONS = 16
/** Descriptors kept for everything but callers: metrics, log, secret files, DNS, Redis, Zendesk, issuers. */
const RESERVED_DESCRIPTORS = 48 + METRICS_CONNECTIONS
/** An idle connection takes some 10 kB. */
const MOST_CONNECTIONS = 10_000
/** With TLS, some 56 kB. */
const MOST_TLS_CONNECTIONS = 2_500

/** How many connections the service accepts at a time, so that clients cannot use up the descriptors of the process. */
export function connectionLimit(isTls: boolean): number {
  const descriptors = descriptorLimit()
  return Math.max(
    Math.min(descriptors - RESERVED_DESCRIPTORS, isTls ? MOST_TLS_CONNECTIONS : MOST_CONNECTIONS),
    8,
  )
}

/** RLIMIT_NOFILE, which Node has raised to the hard limit at its start; infinite where the system does not tell (proc(5)). */
function descriptorLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8')
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity)
  } catch {
    return Infinity
  }
}
