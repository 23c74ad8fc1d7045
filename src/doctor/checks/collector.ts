import { request } from 'undici'
import type { Config } from '../../config/config.js'
import { errorCode } from '../../log/error-place.js'
import { outboundDispatcher } from '../../network/outbound.js'
import { ok, warn, type Finding } from '../finding.js'

/** Posts no span at all, which a collector accepts (OTLP specification, "OTLP/HTTP Request"). Renewals do not need it. */
export async function checkCollector({
  tracesUrl,
  forwardProxies,
  ZENDESK_TIMEOUT_MS,
}: Config): Promise<Finding[]> {
  if (tracesUrl === undefined) return []
  const { origin } = new URL(tracesUrl)
  const dispatcher = outboundDispatcher(forwardProxies, ZENDESK_TIMEOUT_MS)
  try {
    const { statusCode, body } = await request(tracesUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"resourceSpans":[]}',
      dispatcher,
      signal: AbortSignal.timeout(ZENDESK_TIMEOUT_MS),
    })
    await body.dump()
    return [statusCode < 300 ? ok(`${origin} accepts traces`) : answered(origin, statusCode)]
  } catch (error) {
    const reason = error instanceof Error && error.name === 'TimeoutError' ? 'ETIMEDOUT' : errorCode(error)
    return [warn(`cannot send traces to ${origin} (${reason ?? 'unknown error'})`, UNREACHABLE)]
  } finally {
    await dispatcher.destroy()
  }
}

/** The doctor does not send OTEL_EXPORTER_OTLP_HEADERS. */
function answered(origin: string, status: number): Finding {
  if (status === 401 || status === 403)
    return ok(
      `${origin} answers ${status}: it wants OTEL_EXPORTER_OTLP_HEADERS, which this check does not send`,
    )
  return warn(`${origin} answers ${status} to traces`, UNREACHABLE)
}

const UNREACHABLE =
  'Check OTEL_EXPORTER_OTLP_ENDPOINT: it must be the port for OTLP over HTTP, usually 4318. No renewals fail meanwhile.'
