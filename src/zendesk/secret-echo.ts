import { inspect } from 'node:util'

/** A shorter secret may stand in a longer text by chance. */
const SHORTEST = 8
/** Secrets whose forms are kept: more than are in use at a time. */
const KEPT = 32

/**
 * Whether a value holds one of the secrets, at any depth: in clear, percent-encoded, in hexadecimal, or in base64 of either
 * alphabet, also where it is a part of something longer that was encoded. A short secret counts only where nothing else is there.
 *
 * @param forms keeps the forms of secrets that are looked for again and again.
 */
export function echoes(value: unknown, secrets: string[], forms = new SecretForms()): boolean {
  const searches = secrets.filter((secret) => secret !== '').map((secret) => forms.searchFor(secret))
  return textsIn(value).some((text) =>
    readingsOf(text).some((reading) => searches.some((isIn) => isIn(reading))),
  )
}

/** The forms in which secrets may come back, made once for each. Belongs to the object that holds the secrets. */
export class SecretForms {
  readonly #searches = new Map<string, Search>()

  searchFor(secret: string): Search {
    const known = this.#searches.get(secret)
    if (known) return known
    const search = searchFor(secret)
    this.#searches.set(secret, search)
    const [oldest = ''] = this.#searches.keys()
    if (this.#searches.size > KEPT) this.#searches.delete(oldest)
    return search
  }

  [inspect.custom](): string {
    return '[secret forms]'
  }
}

type Search = (reading: Reading) => boolean

/** A text in one of the ways to read it, and what its letters are in hexadecimal and base64. */
interface Reading {
  text: string
  lowerCase: string
  base64: string
}

/** Every text in a value as an operation hands it on: plain data, made from JSON. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => [name, ...textsIn(member)])
}

/** As it is, without blanks, and percent-decoded; most texts read the same in all three ways. */
function readingsOf(text: string): Reading[] {
  const texts = new Set([text, text.replace(/\s/g, ''), percentDecoded(text)])
  return Array.from(texts, (one) => ({ text: one, lowerCase: one.toLowerCase(), base64: plainBase64(one) }))
}

function searchFor(secret: string): Search {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  if (secret.length < SHORTEST) {
    const whole = [secret, hex, bytes.toString('base64url')]
    return ({ text, base64 }) => whole.includes(text) || whole.includes(base64)
  }
  const parts = ([0, 1, 2] as const).map((before) => base64Within(bytes, before))
  return ({ text, lowerCase, base64 }) =>
    text.includes(secret) || lowerCase.includes(hex) || parts.some((part) => base64.includes(part))
}

/**
 * The characters that the secret alone decides where it stands in the middle of something encoded: base64 goes by groups of
 * three octets (RFC 4648, section 4), so there are three ways to lie in them, and neighbours affect the characters at the ends.
 */
function base64Within(bytes: Buffer, before: 0 | 1 | 2): string {
  const octets = before + bytes.length
  const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64url')
  return encoded.slice(Math.ceil((before * 8) / 6), Math.floor((octets * 8) / 6))
}

/** Both alphabets as one, without padding. */
function plainBase64(text: string): string {
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

function percentDecoded(text: string): string {
  if (!text.includes('%')) return text
  const octets = (run: string) => Buffer.from(run.replaceAll('%', ''), 'hex').toString()
  return text.replace(/(?:%[0-9a-f]{2})+/gi, octets)
}
