import { validateHeaderName, validateHeaderValue } from 'node:http'
import { shapeNames } from './answers.js'
import type { Fault } from './faults.js'

/** Checks a fault that came from outside; a TypeError says in a sentence what is wrong with it. */
export function readFault(value: unknown): Fault {
  if (!isObject(value)) throw new TypeError('a fault is a JSON object')
  const { kind, ...given } = value
  if (typeof kind !== 'string' || !isKind(kind))
    throw new TypeError(`"kind" must be one of ${Object.keys(fieldsOf).join(', ')}`)

  const fields: Record<string, Field> = { ...aim, ...fieldsOf[kind] }
  for (const name of Object.keys(given))
    if (!(name in fields)) throw new TypeError(`a fault of kind "${kind}" has no field "${name}"`)
  for (const [name, { is, must, optional }] of Object.entries(fields))
    if (!(optional && given[name] === undefined) && !is(given[name]))
      throw new TypeError(`"${name}" of a fault of kind "${kind}" must be ${must}`)

  // Each field has been checked above against the table, which the compiler cannot follow.
  return value as unknown as Fault
}

interface Field {
  is: (value: unknown) => boolean
  must: string
  optional?: boolean
}

const target: Field = {
  is: (value) => ['renew', 'token', 'me', 'all'].includes(String(value)),
  must: 'one of renew, token, me, all',
}
const count: Field = {
  is: (value) => Number.isInteger(value) && Number(value) >= 0,
  must: 'a whole number, zero or more',
}
const status: Field = {
  is: (value) => Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 599,
  must: 'a status from 200 to 599',
}
const text: Field = { is: (value) => typeof value === 'string', must: 'a string' }
const headerValue: Field = { is: (value) => isHeader('x', value), must: 'a string fit for a header' }
const shape: Field = {
  is: (value) => shapeNames().includes(String(value)),
  must: `one of ${shapeNames().join(', ')}`,
}
const headers: Field = {
  is: (value) =>
    isObject(value) &&
    Object.entries(value).every(([name, lines]) => [lines].flat().every((line) => isHeader(name, line))),
  must: 'an object of header names to strings or arrays of strings',
}

const aim: Record<string, Field> = {
  target: optional(target),
  times: optional(count),
  after: optional(count),
}

export const fieldsOf = {
  status: { status, body: optional(text), headers: optional(headers), shape: optional(shape) },
  body: { body: text, contentType: optional(headerValue), status: optional(status) },
  redirect: { location: optional(headerValue), status: optional(status) },
  echo: {},
  anonymous: {},
  delay: { ms: count },
  silence: {},
  drip: { ms: count },
  'drip-head': { ms: count },
  endless: {},
  'declared-huge': {},
  reset: {},
  'reset-mid-body': {},
  'cut-head': {},
  garbage: {},
  'bad-gzip': {},
  'gzip-bomb': {},
} satisfies Record<Fault['kind'], Record<string, Field>>

function optional(field: Field): Field {
  return { ...field, optional: true }
}

function isKind(name: string): name is Fault['kind'] {
  return Object.hasOwn(fieldsOf, name)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isHeader(name: string, value: unknown): boolean {
  try {
    validateHeaderName(name)
    if (typeof value === 'string') validateHeaderValue(name, value)
    return typeof value === 'string'
  } catch {
    return false
  }
}
