/** What the service answers instead of a token (RFC 9457). */
export interface Problem {
  code: string
  title: string
  detail: string
  requestId: string
  retryAfter?: number
}

export class RenewalError extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(`${problem.title}. ${problem.detail} (request ${problem.requestId})`)
    this.problem = problem
  }
}

/** POST, because browsers neither prefetch nor cache it; no cookies, because none play a part. */
export async function renewSession(service: string, jwt: string): Promise<string> {
  const response = await fetch(`${service}/session/renew`, {
    method: 'POST',
    headers: { authorization: `Bearer ${jwt}` },
    credentials: 'omit',
  })
  const body = await response.json()
  if (!response.ok) throw new RenewalError(body as Problem)
  return (body as { authenticity_token: string }).authenticity_token
}
