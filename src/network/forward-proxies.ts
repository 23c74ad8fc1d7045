import { inspect } from 'node:util'
import type { Secret, SecretLog } from '../secret.js'
import { bypasses } from './no-proxy.js'

/** Which forward proxy leads to a target, as curl decides: by the target's scheme, unless NO_PROXY names its host. */
export class ForwardProxies {
  readonly #settings: ForwardProxySettings

  constructor(settings: ForwardProxySettings = {}) {
    this.#settings = settings
  }

  [inspect.custom](): string {
    return '[forward proxies]'
  }

  /** Undefined where the way is direct. */
  proxyFor({ protocol, hostname, port }: Target): ForwardProxy | undefined {
    const { https, http, noProxy = '' } = this.#settings
    const proxy = protocol === 'https:' ? https : http
    if (!proxy || bypasses(noProxy, hostname, port === '' ? usualPort(protocol) : port)) return undefined
    return proxy.reveal()
  }

  /** What must not come back in an answer. */
  secrets(): string[] {
    const known = [this.#settings.https, this.#settings.http].flatMap((secret) => secret?.known() ?? [])
    return known.flatMap(({ authorization, password }) =>
      authorization === undefined ? [] : [authorization.replace('Basic ', ''), password],
    )
  }

  /** Those that may come from a file. */
  get secretFiles(): Secret<unknown>[] {
    return this.#settings.https ? [this.#settings.https] : []
  }

  follow(log: SecretLog): void {
    this.#settings.https?.follow(log)
  }

  unfollow(): void {
    this.#settings.https?.unfollow()
  }
}

export interface ForwardProxySettings {
  https?: Secret<ForwardProxy> | undefined
  http?: Secret<ForwardProxy> | undefined
  noProxy?: string | undefined
}

export interface ForwardProxy {
  /** Of the connection to the proxy itself. */
  protocol: 'http:' | 'https:'
  /** An IPv6 address without its brackets. */
  host: string
  port: number
  /** The value of Proxy-Authorization; undefined where the address names no user. */
  authorization: string | undefined
  password: string
}

/** As `URL` has them. */
interface Target {
  protocol: string
  hostname: string
  port: string
}

function usualPort(protocol: string): string {
  return protocol === 'https:' ? '443' : '80'
}
