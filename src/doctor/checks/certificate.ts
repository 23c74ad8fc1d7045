import { once } from 'node:events'
import { isIP } from 'node:net'
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls'
import { openTunnel } from '../../network/tunnel.js'
import { isLoopbackHost } from '../../loopback.js'
import { Deadline } from '../../zendesk/deadline.js'
import { fail, ok, warn, type Finding } from '../finding.js'
import { authorityOf, endpointOf, type Target } from '../target.js'

const FEW_DAYS = 7

/** Whose certificate it is, whether it verifies, and for how long. */
export async function checkCertificate(target: Target): Promise<Finding[]> {
  const { host, port } = endpointOf(target)
  if (target.origin.protocol === 'http:') return [plainHttp(host)]
  const deadline = new Deadline(target.timeoutMs)
  const proxy = target.proxies.proxyFor(target.origin)
  // Only a handshake, no request: so even a certificate that does not verify can be described.
  const socket = connect({
    ...(proxy && { socket: await openTunnel(proxy, authorityOf(target), target.timeoutMs) }),
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
  if (isLoopbackHost(host)) return ok('plain http to this machine: no certificate')
  return warn('plain http: the credentials travel unencrypted', 'Use https in ZENDESK_URL.')
}

function verified(certificate: PeerCertificate): Finding {
  const days = Math.floor((Date.parse(certificate.valid_to) - Date.now()) / 86_400_000)
  const title = `verifies; issued by ${issuerOf(certificate)}, expires in ${days} days`
  if (days >= FEW_DAYS) return ok(title)
  return warn(title, 'Have it renewed: once it expires, every call fails.')
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
  'Check the clock of this machine. If it is right, the operator of that server must renew the certificate.'
const CLOCK = 'Set the clock of this machine.'
const OTHER_NAME =
  "Use the name that the certificate is for: for a help desk the account's own zendesk.com address, not a host-mapped one."
const UNKNOWN_AUTHORITY =
  'If a proxy of your own intercepts TLS, name the PEM file of its authority in NODE_EXTRA_CA_CERTS, for the service too. If not, suspect an attack.'
const EXTRA_AUTHORITY =
  'NODE_EXTRA_CA_CERTS is set, but its file cannot be read or does not contain this authority. Check both.'

function noHandshake(error: unknown, timedOut: boolean, { timeoutMs }: Target): Finding {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  const detail = 'The connection itself was accepted.'
  if (timedOut) return fail(`no TLS handshake within ${timeoutMs} ms`, IN_BETWEEN, detail)
  if (/^(EPROTO|ERR_SSL_)/.test(code)) return fail(`the server does not speak TLS (${code})`, NO_TLS, detail)
  if (/ALERT_(BAD_CERTIFICATE|HANDSHAKE_FAILURE)$/.test(code))
    return fail(`the TLS handshake was refused (${code})`, CLIENT_CERTIFICATE, detail)
  return fail(`the TLS handshake failed (${code})`, IN_BETWEEN, detail)
}

const IN_BETWEEN = 'Look for a firewall or proxy that inspects TLS and blocks this name, and allow it.'
const CLIENT_CERTIFICATE =
  'Perhaps a gateway in between asks for a client certificate; Zendesk asks for none. Let this machine reach Zendesk past it.'
const NO_TLS = 'Check scheme and port in ZENDESK_URL, and look for a proxy in between.'

function issuerOf({ issuer }: PeerCertificate): string {
  // Typed as always there, but an authority may leave any of them out, or give several.
  const names: (string | string[] | undefined)[] = [issuer.O, issuer.CN]
  return names.flat().filter(Boolean).join(', ') || 'an unnamed authority'
}
