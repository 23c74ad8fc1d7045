import { EventEmitter } from 'node:events'
import type { Exchange } from './exchange.js'
import type { OperationName } from './operation.js'
import type { Wait } from './traffic/pace.js'
import type { ScheduleFinding } from './traffic/redis-schedule.js'

/** What happens between us and Zendesk, for log, metrics and traces. */
export class ZendeskEvents extends EventEmitter<{
  /** One call, after its answer or failure. */
  call: [Exchange]
  /** A flight begins, in the asynchronous context of the caller who asked first. */
  started: [operation: OperationName]
  /** A slot that came, or was refused because it would have come too late. */
  slot: [Wait]
  /** A flight has settled; how many callers shared it. */
  settled: [operation: OperationName, callers: number]
  /** Open when Zendesk keeps failing; closed when a probe has succeeded. */
  breaker: ['open' | 'closed']
  /** Something about the shared Redis that the operator should know. */
  finding: [ScheduleFinding]
}> {}
