import http from 'node:http'
import https from 'node:https'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { ForwardProxies, ForwardProxy } from './forward-proxies.js'
import { lookup } from './lookup.js'
import { connectToProxy } from './outbound.js'
import { openTunnel } from './tunnel.js'

/**
 * An agent of node:http with the options given, for a library that wants one: with the shared look-up, and through the forward
 * proxy where one leads to the target.
 */
export function outboundAgent(url: string, proxies: ForwardProxies, options: https.AgentOptions): http.Agent {
  const target = new URL(url)
  const shared = { ...options, lookup }
  const proxy = proxies.proxyFor(target)
  if (target.protocol === 'https:')
    return proxy ? new TunnelAgent(() => proxies.proxyFor(target) ?? proxy, shared) : new https.Agent(shared)
  return proxy ? new AbsoluteFormAgent(target.origin, proxy, shared) : new http.Agent(shared)
}

const CONNECT_MS = 10_000

type Connected = (error: Error | null, stream?: Duplex) => void

/** For https: TLS through a tunnel. */
class TunnelAgent extends https.Agent {
  readonly #proxy: () => ForwardProxy

  constructor(proxy: () => ForwardProxy, options: https.AgentOptions) {
    super(options)
    this.#proxy = proxy
  }

  /** What node:http calls for each connection; the types do not know it. */
  createConnection(options: ConnectionOptions, connected: Connected): void {
    const { host = '', port = 443 } = options
    openTunnel(this.#proxy(), `${host.includes(':') ? `[${host}]` : host}:${port}`, CONNECT_MS).then(
      (socket) => {
        connected(null, connectTls({ ...options, socket }))
      },
      (error: unknown) => {
        connected(error as Error)
      },
    )
  }
}

/** For plain http: the proxy is sent the whole URL (RFC 9112, section 3.2.2). */
class AbsoluteFormAgent extends http.Agent {
  readonly #origin: string
  readonly #proxy: ForwardProxy

  constructor(origin: string, proxy: ForwardProxy, options: http.AgentOptions) {
    super(options)
    this.#origin = origin
    this.#proxy = proxy
  }

  createConnection(_options: unknown, connected: Connected): void {
    connectToProxy(this.#proxy, CONNECT_MS, (error, socket) => {
      if (error) connected(error)
      else connected(null, socket)
    })
  }

  /** What node:http calls for each request, before its head is written; the types do not know it. */
  addRequest(request: http.ClientRequest, options: http.ClientRequestArgs): void {
    const { authorization } = this.#proxy
    request.path = this.#origin + request.path
    if (authorization !== undefined) request.setHeader('proxy-authorization', authorization)
    untyped.addRequest.call(this, request, options)
  }
}

const untyped = http.Agent.prototype as unknown as {
  addRequest(this: http.Agent, request: http.ClientRequest, options: http.ClientRequestArgs): void
}
