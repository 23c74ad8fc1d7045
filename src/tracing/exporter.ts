import type https from 'node:https'
import type { ExportResult } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node'
import { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http'
import type { FastifyBaseLogger } from 'fastify'
import type { ForwardProxies } from '../network/forward-proxies.js'
import { outboundAgent } from '../network/outbound-agent.js'

/** Sends spans to the collector, and logs once when it takes none and once when it does again. The library itself says nothing. */
export class CollectorExporter extends OTLPTraceExporter {
  readonly #log: Pick<FastifyBaseLogger, 'info' | 'warn'>
  #away = false

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
      this.#tell(result.error)
      done(result)
    })
  }

  #tell(error: Error | undefined): void {
    if (error && !this.#away) this.#log.warn(reason(error), 'the collector of traces is away')
    if (!error && this.#away) this.#log.info('the collector of traces is back')
    this.#away = error !== undefined
  }
}

/** Never the message or the body, which are the collector's words. Statuses after which it was tried in vain again have no code. */
function reason(error: Error): { error: string; errorCode?: string; status?: number } {
  const code = 'code' in error ? error.code : undefined
  return {
    error: error.name,
    ...(typeof code === 'string' && { errorCode: code }),
    ...(typeof code === 'number' && { status: code }),
  }
}
