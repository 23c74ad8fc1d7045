import type https from 'node:https'
import type { ExportResult } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node'
import { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http'
import type { FastifyBaseLogger } from 'fastify'
import { errorCode } from '../log/error-place.js'
import type { ForwardProxies } from '../network/forward-proxies.js'
import { outboundAgent } from '../network/outbound-agent.js'

/** Sends spans to the collector; logs the first failure and the recovery, since the library logs nothing. */
export class CollectorExporter extends OTLPTraceExporter {
  readonly #log: Pick<FastifyBaseLogger, 'info' | 'warn'>
  #failing = false

  constructor(url: string, proxies: ForwardProxies, log: Pick<FastifyBaseLogger, 'info' | 'warn'>) {
    // The library reads certificates for the collector from OTEL_* variables into its agent, and these are kept.
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the exporter itself goes by it, and there is no other way
    const { agentFactory } = convertLegacyHttpOptions({}, 'TRACES', 'v1/traces', {})
    const ours = async (protocol: string) => {
      const { options } = (await agentFactory(protocol)) as https.Agent
      return outboundAgent(url, proxies, options)
    }
    super({ url, httpAgentOptions: ours })
    this.#log = log
  }

  override export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    super.export(spans, (result) => {
      this.#report(result.error)
      done(result)
    })
  }

  #report(error: Error | undefined): void {
    if (error && !this.#failing) this.#log.warn(reason(error), 'cannot export traces to the collector')
    if (!error && this.#failing) this.#log.info('exporting traces to the collector again')
    this.#failing = error !== undefined
  }
}

/** Never the message or the body, which the collector chooses. The library gives no code for a status that it retried. */
function reason(error: Error): { error: string; errorCode?: string; status?: number } {
  const code = errorCode(error)
  const status = 'code' in error ? error.code : undefined
  return {
    error: error.name,
    ...(code !== undefined && { errorCode: code }),
    ...(typeof status === 'number' && { status }),
  }
}
