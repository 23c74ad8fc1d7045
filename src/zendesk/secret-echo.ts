/** A shorter secret may stand in a longer text by chance. */
const SHORTEST = 8

/**
 * Whether a value holds one of the secrets, at any depth: in clear, percent-encoded, in hexadecimal, or in base64 of either
 * alphabet, also where it is a part of something longer that was encoded. A short secret counts only where nothing else is there.
 */
export function echoes(value: unknown, secrets: string[]): boolean {
  const looks = secrets.filter((secret) => secret !== '').map(lookFor)
  return textsIn(value).some((text) => {
    const readings = [text, text.replace(/\s/g, ''), percentDecoded(text)]
    return looks.some((isIn) => readings.some(isIn))
  })
}

/** Every text in a value as an operation hands it on: plain data, made from JSON. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => [name, ...textsIn(member)])
}

function lookFor(secret: string): (reading: string) => boolean {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  if (secret.length < SHORTEST) {
    const whole = [secret, hex, bytes.toString('base64url')]
    return (reading) => whole.some((form) => form === reading || form === plainBase64(reading))
  }
  const base64 = ([0, 1, 2] as const).map((before) => base64Within(bytes, before))
  return (reading) =>
    reading.includes(secret) ||
    reading.toLowerCase().includes(hex) ||
    base64.some((form) => plainBase64(reading).includes(form))
}

/**
 * The characters that the secret alone decides where it stands in the middle of something encoded: base64 goes by groups of
 * three octets (RFC 4648, section 4), so there are three ways to lie in them, and neighbours colour the characters at the ends.
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
  const octets = (run: string) => Buffer.from(run.replaceAll('%', ''), 'hex').toString()
  return text.replace(/(?:%[0-9a-f]{2})+/gi, octets)
}
