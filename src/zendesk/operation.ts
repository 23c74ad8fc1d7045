import type { Problem } from '../problems/problem.js'
import type { Deadline } from './deadline.js'
import { judgeIdentity, judgeRenewal, type Answer, type Identity } from './judge.js'

/** What can be asked of Zendesk: the request, and what its answer means. */
export interface Operation<T> {
  name: OperationName
  method: 'GET' | 'POST'
  path: string
  judge: Judge<T>
}

export type OperationName = 'renew' | 'identify' | 'token'

/** Pure; gives what the answer holds, or the problem that it means. */
export type Judge<T> = (answer: Answer) => T | Problem

export const RENEW: Operation<string> = {
  name: 'renew',
  method: 'GET',
  path: '/api/v2/users/me/session/renew',
  judge: judgeRenewal,
}

export const IDENTIFY: Operation<Identity> = {
  name: 'identify',
  method: 'GET',
  path: '/api/v2/users/me.json',
  judge: judgeIdentity,
}

/** An operation on its way to Zendesk. */
export interface Call<T> {
  operation: Operation<T>
  deadline: Deadline
  headers?: Record<string, string>
  body?: string
  /** What it carries, in clear, that must not come back. */
  secrets?: string[]
}

/** What Zendesk gave and how long it took, in milliseconds; or why it gave nothing. */
export type Verdict<T> = { value: T; zendeskMs: number } | Problem

export type Send = <T>(call: Call<T>) => Promise<Verdict<T>>

/** One of the steps that a call passes on its way: it may hold the call back, change it, repeat it, or answer itself. */
export interface Step {
  run<T>(call: Call<T>, next: Send): Promise<Verdict<T>>
}

/** The steps in this order, and `send` after the last. */
export function compose(steps: Step[], send: Send): Send {
  return steps.reduceRight<Send>((next, step) => (call) => step.run(call, next), send)
}
