import { constants, createPrivateKey, hash, X509Certificate } from 'node:crypto'
import { unwatchFile, watchFile } from 'node:fs'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { LOOK_EVERY_MS, readSecretFile, SecretError, type FollowedFile, type SecretLog } from '../secret.js'

/** The two files of a new pair are replaced one after the other; until then they do not fit. */
const BETWEEN_TWO_FILES_MS = 1_000

/** The certificate of this service, its key, and the authorities of its clients: PEM files that are followed as they change. */
export class CertificateFiles implements FollowedFile {
  readonly name = 'TLS_CERT_FILE'
  readonly #paths: CertificatePaths
  #current: Contents
  /** The digest of what cannot be used: seen once, and told. */
  #doubtful: string | undefined
  #bad: string | undefined
  #badValues = 0
  #log: SecretLog | undefined
  #changed: (() => void) | undefined

  /** @throws {CertificateFileError} */
  constructor(paths: CertificatePaths) {
    this.#paths = paths
    this.#current = read(paths)
    check(this.#current)
  }

  get isFileBad(): boolean {
    return this.#bad !== undefined
  }

  get badValues(): number {
    return this.#badValues
  }

  /** Whether clients have to show a certificate. */
  get isMutual(): boolean {
    return this.#paths.clientCa !== undefined
  }

  get validUntil(): Date {
    return new Date(new X509Certificate(this.#current.cert).validTo)
  }

  /** For `tls.createServer` and, after a change, for `setSecureContext`. */
  contextOptions(): SecureContextOptions {
    const { cert, key, clientCa } = this.#current
    return { cert, key, ...(clientCa !== undefined && { ca: clientCa }), ...POLICY }
  }

  /** By polling, as for every secret file: fs.watch goes deaf once Kubernetes swaps its symlink. */
  follow(log: SecretLog, changed: () => void): void {
    this.#log = log
    this.#changed = changed
    for (const path of this.#all())
      watchFile(path, { interval: LOOK_EVERY_MS, persistent: false }, this.#look)
    // watchFile misses a change made between our first read and its first poll; look once more.
    this.#lookIn(2 * LOOK_EVERY_MS)
  }

  unfollow(): void {
    for (const path of this.#all()) unwatchFile(path, this.#look)
  }

  readonly #look = (): void => {
    let contents: Contents | undefined
    try {
      contents = read(this.#paths)
      if (digestOf(contents) === digestOf(this.#current)) {
        if (this.#bad !== undefined)
          this.#log?.info({ secret: this.name }, 'secret file restored, same value in use')
      } else {
        check(contents)
        this.#current = contents
        this.#log?.info({ secret: this.name }, 'secret file changed, new value in use')
        this.#changed?.()
      }
      this.#bad = undefined
      this.#doubtful = undefined
    } catch (error) {
      if (!(error instanceof CertificateFileError)) throw error
      this.#complain(error, contents ? digestOf(contents) : error.message)
    }
  }

  /** Once for each bad state that lasts. */
  #complain(error: CertificateFileError, state: string): void {
    if (this.#bad === state) return
    if (this.#doubtful !== state) {
      this.#doubtful = state
      this.#lookIn(BETWEEN_TWO_FILES_MS)
      return
    }
    this.#bad = state
    this.#badValues += 1
    this.#log?.error(
      { secret: this.name, why: `${error.variable}: the path of ${error.message}` },
      'secret file changed, but its value is bad: keeping the last good one',
    )
  }

  #lookIn(milliseconds: number): void {
    setTimeout(this.#look, milliseconds).unref()
  }

  #all(): string[] {
    const { cert, key, clientCa } = this.#paths
    return [cert, key, ...(clientCa === undefined ? [] : [clientCa])]
  }

  toJSON(): string {
    return `[files of ${this.name}]`
  }
}

export interface CertificatePaths {
  cert: string
  key: string
  clientCa: string | undefined
}

/** Says what the file that this variable names should be. */
export class CertificateFileError extends Error {
  readonly variable: string

  constructor(variable: string, should: string, cause?: unknown) {
    super(should, { cause })
    this.variable = variable
  }
}

interface Contents {
  cert: string
  key: string
  clientCa: string | undefined
}

/** RFC 9325, sections 3.1.1 and 3.5: nothing older than TLS 1.2, and no renegotiation. */
const POLICY = { minVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_RENEGOTIATION } as const

function read({ cert, key, clientCa }: CertificatePaths): Contents {
  return {
    cert: readFile('TLS_CERT_FILE', cert),
    key: readFile('TLS_KEY_FILE', key),
    clientCa: clientCa === undefined ? undefined : readFile('TLS_CLIENT_CA_FILE', clientCa),
  }
}

function readFile(variable: string, path: string): string {
  try {
    return readSecretFile(path)
  } catch (error) {
    if (error instanceof SecretError) throw new CertificateFileError(variable, error.message, error)
    throw error
  }
}

function check({ cert, key, clientCa }: Contents): void {
  const [own] = certificatesIn('TLS_CERT_FILE', cert)
  const privateKey = attempt('TLS_KEY_FILE', 'a PEM file with an unencrypted private key', () =>
    createPrivateKey(key),
  )
  if (!own?.checkPrivateKey(privateKey))
    throw new CertificateFileError('TLS_KEY_FILE', 'the key of the certificate in TLS_CERT_FILE')
  if (clientCa !== undefined) certificatesIn('TLS_CLIENT_CA_FILE', clientCa)
  attempt('TLS_CERT_FILE', 'a PEM file that OpenSSL accepts', () =>
    createSecureContext({ cert, key, ...POLICY }),
  )
}

/** OpenSSL skips what it does not understand, and would trust nobody. */
function certificatesIn(variable: string, pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? []
  const should = 'a PEM file with certificates'
  if (blocks.length === 0) throw new CertificateFileError(variable, should)
  return blocks.map((block) => attempt(variable, should, () => new X509Certificate(block)))
}

function attempt<T>(variable: string, should: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new CertificateFileError(variable, should, error)
  }
}

function digestOf({ cert, key, clientCa }: Contents): string {
  return hash('sha256', JSON.stringify([cert, key, clientCa]))
}
