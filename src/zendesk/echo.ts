/** A shorter secret may stand in a longer text by chance. */
const SHORTEST = 8

/**
 * Whether a text holds one of the secrets in clear, percent-encoded, or in base64 of either alphabet, padded or not; where a
 * secret is short, whether the text is nothing else.
 */
export function echoes(text: string, secrets: string[]): boolean {
  const readings = [text, Buffer.from(text, 'base64').toString(), percentDecoded(text)]
  return secrets.some((secret) =>
    secret.length < SHORTEST
      ? secret !== '' && readings.includes(secret)
      : readings.some((reading) => reading.includes(secret)) ||
        base64Of(secret).some((form) => text.includes(form)),
  )
}

function base64Of(secret: string): string[] {
  const bytes = Buffer.from(secret)
  return [bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url')]
}

function percentDecoded(text: string): string {
  const octets = (run: string) => Buffer.from(run.replaceAll('%', ''), 'hex').toString()
  return text.replace(/(?:%[0-9a-f]{2})+/gi, octets)
}
