import { Problem } from '../problems/problem.js'
import type { Credentials } from '../zendesk/credentials.js'
import { Deadline } from '../zendesk/deadline.js'
import type { Operation } from '../zendesk/operation.js'
import type { Target } from './target.js'

/** One call as the service makes it, but once: what a retry would cover up is what the doctor wants to see. */
export function ask<T>(
  { transport, timeoutMs }: Target,
  operation: Operation<T>,
  credentials: Credentials | undefined,
): Promise<T | Problem> {
  return within(timeoutMs, async (deadline) => {
    const authorization = await credentials?.authorization(deadline)
    if (authorization instanceof Problem) return authorization
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
    const secrets = credentials?.secrets() ?? []
    const verdict = await transport.exchange({ operation, deadline, headers, secrets })
    return verdict instanceof Problem ? verdict : verdict.value
  })
}

/** The result of the work, or its problem, within this many milliseconds. */
export async function within<T>(
  milliseconds: number,
  work: (deadline: Deadline) => Promise<T | Problem>,
): Promise<T | Problem> {
  const deadline = new Deadline(milliseconds)
  try {
    return await work(deadline)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  } finally {
    deadline.end()
  }
}
