import { request } from 'undici'
import type { Config } from '../../config/config.js'
import { errorCode } from '../../log/error-place.js'
import { ok, warn, type Finding } from '../finding.js'

/** Whether callers reach a service of this kind there; it need not run yet. */
export async function checkPublicUrl({ publicUrl, ZENDESK_TIMEOUT_MS }: Config): Promise<Finding[]> {
  if (publicUrl === '') return []
  try {
    const { statusCode, headers, body } = await request(`${publicUrl}/livez`, {
      signal: AbortSignal.timeout(ZENDESK_TIMEOUT_MS),
    })
    await body.dump()
    const isOurs = statusCode === 200 && headers['x-request-id'] !== undefined
    return [
      isOurs
        ? ok(`${publicUrl} leads to this service`)
        : warn(`${publicUrl}/livez answers ${statusCode}`, NOT_OURS),
    ]
  } catch (error) {
    const reason = error instanceof Error && error.name === 'TimeoutError' ? 'ETIMEDOUT' : errorCode(error)
    return [warn(`${publicUrl} cannot be reached from here (${reason ?? 'unknown error'})`, NOT_RUNNING)]
  }
}

const NOT_OURS =
  'Check PUBLIC_URL, and that the proxy in front takes its path away. If the service does not run yet, start it.'
const NOT_RUNNING =
  'If the service runs and callers are elsewhere, this may be right. Otherwise check PUBLIC_URL.'
