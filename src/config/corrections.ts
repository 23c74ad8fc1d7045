import { isVariable, variables } from './variables.js'

/**
 * What to put in the place of a malformed value, where that is evident. It may quote a part of an address, so it handles no
 * secret.
 */
export function correctionOf(name: string, value: string): string | undefined {
  if (!isVariable(name)) return undefined
  const text = value.trim()
  const special = corrections[name]?.(text)
  if (special !== undefined) return special
  switch (variables[name].type) {
    case 'integer':
      return /^\d+\s*[a-z]+$/i.test(text) ? 'write digits alone, without a unit' : undefined
    case 'boolean':
      return booleanMeant(text)
    default:
      return undefined
  }
}

const corrections: Partial<Record<keyof typeof variables, (text: string) => string | undefined>> = {
  ZENDESK_SUBDOMAIN(text) {
    const [, label] = /^(?:https?:\/\/)?([a-z\d][a-z\d-]{0,62})\.zendesk\.com(?:[/:]|$)/i.exec(text) ?? []
    if (label !== undefined) return `set it to ${label.toLowerCase()}`
    return text.includes('.') ? 'for another address use ZENDESK_URL' : undefined
  },
  ZENDESK_URL: httpsOrigin,
  PUBLIC_URL: withoutScheme('https://'),
  JWT_ISSUER: withoutScheme('https://'),
  JWT_JWKS_URL: withoutScheme('https://'),
  OTEL_EXPORTER_OTLP_ENDPOINT: withoutScheme('http:// or https://'),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: withoutScheme('http:// or https://'),
  HOST(text) {
    if (/^\w+:\/\//.test(text)) return 'write the host alone, without a scheme'
    return /^([^:]+|\[.*\]):\d+$/.test(text) ? 'the port belongs in PORT' : undefined
  },
  LOG_LEVEL(text) {
    const words: Record<string, string> = {
      warning: 'warn',
      critical: 'fatal',
      verbose: 'debug',
      off: 'silent',
    }
    const word = words[text.toLowerCase()]
    return word === undefined ? undefined : `set it to ${word}`
  },
}

/** Without a user, who may have a password. */
function httpsOrigin(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^https?:$/.test(url.protocol) && url.href !== `${url.origin}/`) return `set it to ${url.origin}`
  return withoutScheme('https://')(text)
}

function withoutScheme(scheme: string): (text: string) => string | undefined {
  return (text) =>
    /^[a-z\d-]+(\.[a-z\d-]+)+(:\d+)?(\/|$)/i.test(text) ? `put ${scheme} in front of it` : undefined
}

function booleanMeant(text: string): string | undefined {
  if (/^(true|yes|on|1)$/i.test(text)) return 'set it to true'
  return /^(false|no|off|0)$/i.test(text) ? 'set it to false' : undefined
}
