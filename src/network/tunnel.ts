import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { ForwardProxy } from './forward-proxies.js'
import { lookup } from './lookup.js'

/** A connection to `target` (host:port) through the proxy (RFC 9110, section 9.3.6). Rejects with a `ProxyError`. */
export function openTunnel(proxy: ForwardProxy, target: string, timeoutMs: number): Promise<Socket> {
  const { host, port, protocol, authorization } = proxy
  return new Promise((resolve, reject) => {
    const request = (protocol === 'https:' ? https : http).request({
      method: 'CONNECT',
      host,
      port,
      path: target,
      agent: false,
      lookup,
      headers: {
        host: target,
        ...(authorization !== undefined && { 'proxy-authorization': authorization }),
      },
    })
    const timer = setTimeout(() => request.destroy(new ProxyError('TIMEOUT')), timeoutMs)
    request
      .once('connect', ({ statusCode = 0 }, socket: Socket, head) => {
        clearTimeout(timer)
        socket.on('error', () => undefined)
        const isOpen = statusCode >= 200 && statusCode <= 299
        // TLS begins with us: if somebody speaks first, it is not the target.
        if (isOpen && head.length === 0) resolve(socket)
        else {
          socket.destroy()
          reject(new ProxyError(isOpen ? 'BAD_RESPONSE' : String(statusCode)))
        }
      })
      // For as long as it lives: an error may follow another.
      .on('error', (error) => {
        clearTimeout(timer)
        reject(proxyError(error))
      })
      .end()
  })
}

/** The forward proxy, not the target behind it, is why there is no connection. The code says how: a status, or a word. */
export class ProxyError extends Error {
  readonly code: `PROXY_${string}`
  /** A refusal does not pass by itself, and after a timeout no time is left. */
  readonly isTransient: boolean

  constructor(reason: string, cause?: unknown) {
    super(`forward proxy: ${reason}`, { cause })
    this.name = 'ProxyError'
    this.code = `PROXY_${reason}`
    this.isTransient = !/^4|TIMEOUT|UNTRUSTED|BAD_RESPONSE/.test(reason)
  }
}

export function proxyError(error: NodeJS.ErrnoException): ProxyError {
  if (error instanceof ProxyError) return error
  const [reason = 'UNREACHABLE'] = REASONS.find(([, codes]) => codes.test(error.code ?? '')) ?? []
  return new ProxyError(reason, error)
}

const REASONS: [reason: string, codes: RegExp][] = [
  ['REFUSED', /^ECONNREFUSED$/],
  ['RESET', /^(ECONNRESET|EPIPE)$/],
  ['NOT_FOUND', /^(ENOTFOUND|EAI_)/],
  ['TIMEOUT', /TIMEDOUT|TIMEOUT/],
  ['UNTRUSTED', /CERT|SELF_SIGNED|UNABLE_TO|DEPTH_ZERO/],
  ['BAD_RESPONSE', /^(HPE_|EPROTO|ERR_SSL_)/],
]
