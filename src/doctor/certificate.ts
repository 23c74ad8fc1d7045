import { once } from 'node:events'
import { isIP } from 'node:net'
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls'
import { isLoopbackHost } from '../loopback.js'
import { Deadline } from '../zendesk/deadline.js'
import { fail, ok, warn, type Finding } from './finding.js'
import { endpointOf, type Target } from './target.js'

const FEW_DAYS = 7

/** Whose certificate it is, whether it verifies, and for how long. */
export async function checkCertificate(target: Target): Promise<Finding[]> {
  const { host, port } = endpointOf(target)
  if (target.origin.protocol === 'http:') return [plainHttp(host)]
  const deadline = new Deadline(target.timeoutMs)
  // A handshake and nothing more: not a byte is sent here, so that even a certificate that does not verify can be described.
  const socket = connect({
    host,
    port,
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: false,
  })
  try {
    await once(socket, 'secureConnect', { signal: deadline.signal })
    return [socket.authorized ? verified(socket.getPeerCertificate()) : unverified(socket, target)]
  } catch (error) {
    return [noHandshake(error, deadline.signal.aborted, target)]
  } finally {
    socket.on('error', () => undefined).destroy()
    deadline.end()
  }
}

function plainHttp(host: string): Finding {
  if (isLoopbackHost(host)) return ok('plain http to this machine, so there is no certificate')
  return warn('plain http: the credentials travel in clear', 'Use https in ZENDESK_URL.')
}

function verified(certificate: PeerCertificate): Finding {
  const days = Math.floor((Date.parse(certificate.valid_to) - Date.now()) / 86_400_000)
  const title = `verifies; issued by ${issuerOf(certificate)}, expires in ${days} days`
  if (days >= FEW_DAYS) return ok(title)
  return warn(title, 'It should have been renewed by now; once it expires, every renewal fails.')
}

function unverified(socket: TLSSocket, { variableNames }: Target): Finding {
  const code = String(socket.authorizationError)
  const certificate = socket.getPeerCertificate()
  const detail = `Issued by ${issuerOf(certificate)} (${code}). Nothing was sent there.`
  if (code === 'CERT_HAS_EXPIRED')
    return fail(`the certificate expired on ${certificate.valid_to}`, EXPIRED, detail)
  if (code === 'CERT_NOT_YET_VALID')
    return fail(`the certificate is valid from ${certificate.valid_from} only`, CLOCK, detail)
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return fail('the certificate is for another name', OTHER_NAME, detail)
  const named = variableNames.includes('NODE_EXTRA_CA_CERTS')
  return fail('the certificate does not verify', named ? EXTRA_AUTHORITY : UNKNOWN_AUTHORITY, detail)
}

const EXPIRED =
  'Check the clock of this machine. If it is right, the operator of that server must renew its certificate.'
const CLOCK = 'Set the clock of this machine.'
const OTHER_NAME =
  "Use the name that the certificate is for: for a help desk the account's own zendesk.com address, not a host-mapped one."
const UNKNOWN_AUTHORITY =
  'If a proxy of your own opens TLS, put the PEM file of its authority into NODE_EXTRA_CA_CERTS, for the service too. If not, suspect an attack.'
const EXTRA_AUTHORITY =
  'NODE_EXTRA_CA_CERTS is set, but its file cannot be read or holds another authority than this one. Check both.'

function noHandshake(error: unknown, timedOut: boolean, { timeoutMs }: Target): Finding {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  const detail = 'The connection itself was accepted.'
  if (timedOut) return fail(`no TLS handshake within ${timeoutMs} ms`, IN_BETWEEN, detail)
  if (/^(EPROTO|ERR_SSL_)/.test(code))
    return fail(`what answers there does not speak TLS as we do (${code})`, NO_TLS, detail)
  return fail(`the TLS handshake was broken off (${code})`, IN_BETWEEN, detail)
}

const IN_BETWEEN =
  'Look for a firewall or proxy that inspects TLS and does not like this name; let this machine out to it.'
const NO_TLS = 'Check scheme and port in ZENDESK_URL, and look for a proxy in between.'

function issuerOf({ issuer }: PeerCertificate): string {
  // Typed as always there, but an authority may leave any of them out, or give several.
  const names: (string | string[] | undefined)[] = [issuer.O, issuer.CN]
  return names.flat().filter(Boolean).join(', ') || 'nobody by name'
}
