import type { Faults } from './faults.js'
import { variables, type Environment } from './variables.js'

/**
 * To which traces are posted; undefined = no tracing. As the OpenTelemetry Protocol Exporter's specification says: the general
 * endpoint is a base, the other is used as it is.
 */
export function tracesUrl(environment: Environment, faults: Faults): string | undefined {
  for (const name of ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] as const) {
    const value = environment[name]
    if (value !== undefined && !(URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)))
      faults.add([name], variables[name].should)
  }
  return isOff(environment) || !exporters(environment).includes('otlp') ? undefined : endpoint(environment)
}

/** What was asked for and is not done, where there is somebody to whom traces could go. */
export function tracingWarnings(environment: Environment): string[] {
  if (endpoint(environment) === undefined || isOff(environment)) return []
  const warnings: string[] = []
  const asked = exporters(environment)
  if (asked.some((exporter) => exporter !== 'otlp')) {
    const effect = asked.includes('otlp') ? 'traces go out as OTLP only' : 'there is no tracing'
    warnings.push(`OTEL_TRACES_EXPORTER: this service knows otlp and none, so ${effect}`)
  }
  const name = protocolVariable(environment)
  if (asked.includes('otlp') && /^(?!http\/)/i.test(environment[name] ?? 'http/json')) {
    warnings.push(
      `${name}: this service speaks OTLP over HTTP only; the endpoint must be the collector's port for that, usually 4318`,
    )
  }
  return warnings
}

function endpoint(environment: Environment): string | undefined {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: exact } = environment
  return exact ?? (base && `${base.replace(/\/+$/, '')}/v1/traces`)
}

function isOff(environment: Environment): boolean {
  return environment.OTEL_SDK_DISABLED || exporters(environment).includes('none')
}

/** A list, whose words are of any case: OpenTelemetry's specification of environment variables. */
function exporters({ OTEL_TRACES_EXPORTER: list }: Environment): string[] {
  return list.split(',').map((name) => name.trim().toLowerCase())
}

/** The one that counts, since the special one goes before the general one. */
function protocolVariable(environment: Environment) {
  const special = 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'
  return environment[special] === undefined ? 'OTEL_EXPORTER_OTLP_PROTOCOL' : special
}
