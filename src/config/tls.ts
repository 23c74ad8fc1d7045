import { CertificateFileError, CertificateFiles } from '../tls/certificate-files.js'
import type { Faults } from './faults.js'
import type { Environment } from './variables.js'

/** Undefined: plain http. */
export function tlsFiles(environment: Environment, faults: Faults): CertificateFiles | undefined {
  const { TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_CLIENT_CA_FILE: clientCa } = environment
  if (cert === undefined && key === undefined) {
    if (clientCa !== undefined)
      faults.add(['TLS_CLIENT_CA_FILE'], 'unset, or set with TLS_CERT_FILE and TLS_KEY_FILE')
    return undefined
  }
  if (cert === undefined || key === undefined) {
    faults.add(
      [cert === undefined ? 'TLS_CERT_FILE' : 'TLS_KEY_FILE'],
      'set: TLS_CERT_FILE and TLS_KEY_FILE go together',
    )
    return undefined
  }
  try {
    const files = new CertificateFiles({ cert, key, clientCa })
    if (files.validUntil.getTime() < Date.now())
      faults.suspect('TLS_CERT_FILE', 'the certificate has expired')
    return files
  } catch (error) {
    if (!(error instanceof CertificateFileError)) throw error
    faults.add([error.variable], `the path of ${error.message}`)
    return undefined
  }
}
