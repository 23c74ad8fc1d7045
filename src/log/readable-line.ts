import { prettyFactory } from 'pino-pretty'

/** Fields of a request that the sentence already tells. */
const TOLD = [
  ...['service', 'method', 'route', 'status', 'code', 'durationMs', 'zendeskMs', 'zendesk', 'caller'],
  ...['requestId'],
].join(',')

const other = prettyFactory({ ignore: 'service', singleLine: true, translateTime: 'SYS:HH:MM:ss.l' })
const request = prettyFactory({
  ignore: TOLD,
  singleLine: true,
  translateTime: 'SYS:HH:MM:ss.l',
  messageFormat: (line) => sentence(line),
})

/** A line of the log for a person: a request as one sentence, anything else with its fields behind the message. */
export function readableLine(json: string): string {
  const line = parse(json)
  if (!line) return json
  const { caller, ...rest } = line
  // pino-pretty takes a field named `caller` for a place in the code.
  return isRequest(line) ? request(line) : other(caller === undefined ? rest : { ...rest, from: caller })
}

type Line = Record<string, unknown>

function parse(json: string): Line | undefined {
  try {
    return JSON.parse(json) as Line
  } catch {
    return undefined
  }
}

function isRequest({ msg }: Line): boolean {
  return msg === 'request' || msg === 'caller left'
}

/** For example: 200 GET /session/renew 147 ms, Zendesk 15 ms  billing  1212… */
function sentence(line: Line): string {
  const { status, method, route, durationMs, zendeskMs, code, caller, requestId } = line
  const head = [status ?? 'left', method, route, milliseconds(durationMs)]
    .filter(isKnown)
    .map(String)
    .join(' ')
  const zendesk = zendeskMs === undefined ? '' : `, Zendesk ${milliseconds(zendeskMs) ?? ''}`
  return [head + zendesk, code, caller, requestId].filter(isKnown).map(String).join('  ')
}

function isKnown(value: unknown): value is string | number {
  return (typeof value === 'string' && value !== '') || typeof value === 'number'
}

function milliseconds(value: unknown): string | undefined {
  return typeof value === 'number' ? `${Math.round(value)} ms` : undefined
}
