import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'

/**
 * For the image's HEALTHCHECK: exit code 0 if the service in this container answers /livez. It verifies no certificate, since it
 * asks this machine, and has none of its own: where clients need one (mutual TLS), being asked for it proves as much.
 */
const { HOST: host = '127.0.0.1', PORT: port = '3000', TLS_CERT_FILE: certificate = '' } = process.env
const loopback: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1', localhost: '127.0.0.1' }
const options = { host: loopback[host] ?? host, port, path: '/livez', rejectUnauthorized: false }

const request = certificate === '' ? requestHttp(options) : requestHttps(options)
request
  .on('response', ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))
  .on('error', (error: NodeJS.ErrnoException) => process.exit(isAskedForCertificate(error) ? 0 : 1))
  .end()

/** RFC 8446, section 6.2: certificate_required. */
function isAskedForCertificate({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'
}
