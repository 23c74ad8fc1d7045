import { EventEmitter } from 'node:events'
import type { Wait } from './pace.js'
import type { ScheduleFinding } from './traffic/redis-schedule.js'
import type { Exchange } from './transport.js'

/** What happens between us and Zendesk, for log, metrics and traces. */
export class ZendeskEvents extends EventEmitter<{
  /** One call, after its answer or failure. */
  call: [Exchange]
  /** A renewal begins, in the asynchronous context of the caller who asked first. */
  departure: []
  /** A turn that came, or was refused. */
  turn: [Wait]
  /** A flight has landed; how many callers shared it. */
  landing: [callers: number]
  /** Open when Zendesk has failed so often that it is left alone; closed when a trial has succeeded. */
  breaker: ['open' | 'closed']
  /** Something about the shared Redis that the operator should know. */
  finding: [ScheduleFinding]
}> {}
