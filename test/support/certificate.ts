import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const DAY_MS = 86_400_000

/** A self-signed certificate (RFC 5280) for 127.0.0.1 or for a name, with its key; made anew, so that no key lies around. */
export function selfSigned({ days = 60, name, organization = 'Sandbox Authority' }: Wish = {}) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = sequence(
    der(0x31, sequence(OID.organization, der(0x0c, Buffer.from(organization)))),
    der(0x31, sequence(OID.commonName, der(0x0c, Buffer.from('Sandbox Root')))),
  )
  const until = Date.now() + days * DAY_MS + 3_600_000
  const from = Math.min(Date.now(), until) - DAY_MS
  const names = name === undefined ? der(0x87, Buffer.of(127, 0, 0, 1)) : der(0x82, Buffer.from(name))
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    sequence(OID.ecdsaWithSha256),
    issuer,
    sequence(time(from), time(until)),
    issuer,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(OID.subjectAltName, der(0x04, sequence(names))))),
  )
  const signature = Buffer.concat([Buffer.of(0), sign('sha256', body, privateKey)])
  const whole = sequence(body, sequence(OID.ecdsaWithSha256), der(0x03, signature))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${whole.toString('base64')}\n-----END CERTIFICATE-----\n`,
  }
}

interface Wish {
  /** Until it expires; negative: since it did. */
  days?: number
  name?: string
  organization?: string
}

const OID = {
  ecdsaWithSha256: Buffer.from('06082a8648ce3d040302', 'hex'),
  commonName: Buffer.from('0603550403', 'hex'),
  organization: Buffer.from('060355040a', 'hex'),
  subjectAltName: Buffer.from('0603551d11', 'hex'),
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, ...parts)
}

/** Tag, length, value (X.690): the length is one byte, or a byte that counts the two after it. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const value = Buffer.concat(parts)
  const { length } = value
  const head = length < 0x80 ? Buffer.of(tag, length) : Buffer.of(tag, 0x82, length >> 8, length & 0xff)
  return Buffer.concat([head, value])
}

function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/\D/g, '').slice(2, 14)
  return der(0x17, Buffer.from(`${digits}Z`))
}
