import { connect as connectTcp, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import type { ForwardProxies, ForwardProxy } from './forward-proxies.js'
import { lookup } from './lookup.js'
import { openTunnel, ProxyError, proxyError } from './tunnel.js'

/**
 * How undici connects from here: with the shared look-up, certificates verified, and through the forward proxy where one is set.
 * For https it opens a tunnel; TLS goes through it to the target.
 */
export function outboundConnector(proxies: ForwardProxies, timeoutMs: number): buildConnector.connector {
  const direct = buildConnector({ rejectUnauthorized: true, timeout: timeoutMs, lookup })
  return (options, callback) => {
    const { protocol, hostname, port } = options
    const proxy = proxies.proxyFor({ protocol, hostname, port })
    if (!proxy) {
      direct(options, callback)
      return
    }
    const fail = (error: unknown) => {
      callback(error as Error, null)
    }
    if (protocol === 'https:')
      openTunnel(proxy, authority(hostname, port), timeoutMs).then((httpSocket) => {
        direct({ ...options, httpSocket }, callback)
      }, fail)
    else connectToProxy(proxy, timeoutMs, callback)
  }
}

/** For requests of undici to any target. */
export function outboundDispatcher(
  proxies: ForwardProxies,
  timeoutMs: number,
  options: Agent.Options = {},
): Dispatcher {
  return new Agent({ ...options, connect: outboundConnector(proxies, timeoutMs) }).compose(
    absoluteForm(proxies),
  )
}

/** For undici's `compose`: plain http goes to the proxy with the whole URL as its target (RFC 9112, section 3.2.2). */
export function absoluteForm(proxies: ForwardProxies): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const proxy = plainProxy(proxies, String(options.origin ?? ''))
    if (!proxy) return dispatch(options, handler)
    const { authorization } = proxy
    const headers = {
      ...(options.headers as Record<string, string> | undefined),
      ...(authorization !== undefined && { 'proxy-authorization': authorization }),
    }
    return dispatch({ ...options, path: `${String(options.origin)}${options.path}`, headers }, handler)
  }
}

/** The proxy to which requests for this origin go in absolute form, so that answers may be of the proxy. */
export function plainProxy(proxies: ForwardProxies, origin: string): ForwardProxy | undefined {
  const url = new URL(origin)
  return url.protocol === 'http:' ? proxies.proxyFor(url) : undefined
}

/** Where the proxy, not the target, wrote this answer: 407 is its own status, and proxies say who they are when they fail. */
export function answerOfProxy(
  status: number,
  headers: Record<string, string | string[] | undefined>,
): ProxyError | undefined {
  const server = String(headers['server'] ?? '')
  const isOwn =
    status === 407 || headers['x-squid-error'] !== undefined || /^(squid|tinyproxy)\b/i.test(server)
  return isOwn ? new ProxyError(String(status)) : undefined
}

/** For plain http. Gives a `ProxyError` where there is no connection. */
export function connectToProxy(
  proxy: ForwardProxy,
  timeoutMs: number,
  callback: buildConnector.Callback,
): void {
  const { host, port, protocol } = proxy
  const socket =
    protocol === 'https:'
      ? connectTls({ host, port, lookup, ...(isIP(host) === 0 && { servername: host }) })
      : connectTcp({ host, port, lookup })
  let settled = false
  const settle = (error: ProxyError | undefined) => {
    clearTimeout(timer)
    if (settled) return
    settled = true
    if (error) callback(error, null)
    else callback(null, socket)
  }
  const timer = setTimeout(() => socket.destroy(new ProxyError('TIMEOUT')), timeoutMs)
  socket
    .setNoDelay(true)
    .on('error', (error: Error) => {
      settle(proxyError(error))
    })
    .once(protocol === 'https:' ? 'secureConnect' : 'connect', () => {
      settle(undefined)
    })
}

function authority(hostname: string, port: string): string {
  return `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port === '' ? '443' : port}`
}
