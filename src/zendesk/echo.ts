/** Too short to tell an echo from chance. */
const SHORTEST = 8

/** Whether a text holds one of the secrets in clear, percent-encoded, or in base64 of either alphabet, padded or not. */
export function echoes(text: string, secrets: string[]): boolean {
  const readings = [text, Buffer.from(text, 'base64').toString(), percentDecoded(text)]
  return secrets
    .filter((secret) => secret.length >= SHORTEST)
    .some(
      (secret) =>
        readings.some((reading) => reading.includes(secret)) ||
        base64Of(secret).some((form) => text.includes(form)),
    )
}

function base64Of(secret: string): string[] {
  const bytes = Buffer.from(secret)
  return [bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url')]
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
