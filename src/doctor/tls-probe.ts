import { isIP } from 'node:net'
import { connect } from 'node:tls'
import { errorCode } from '../log/error-place.js'
import { endpointOf, type Target } from './target.js'

/** A server that refuses us does so right after the handshake. */
const ALERT_MS = 1_000

/** Whether the port speaks TLS, and the alert that it sent after our handshake. Nothing else is sent. */
export function probeTls(target: Target): Promise<{ speaksTls: boolean; alert?: string | undefined }> {
  if (target.proxies.proxyFor(target.origin)) return Promise.resolve({ speaksTls: false })
  const { host, port } = endpointOf(target)
  return new Promise((resolve) => {
    let speaksTls = false
    const settle = (alert?: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ speaksTls, alert })
    }
    const servername = isIP(host) === 0 && { servername: host }
    const socket = connect({ host, port, ...servername, rejectUnauthorized: false })
    const timer = setTimeout(settle, Math.min(target.timeoutMs, ALERT_MS))
    socket
      .once('secureConnect', () => (speaksTls = true))
      .once('close', () => {
        settle()
      })
      .on('error', (error) => {
        settle(errorCode(error))
      })
      .resume()
  })
}
