import { ForwardProxies, type ForwardProxy } from '../network/forward-proxies.js'
import { Secret, SecretError } from '../secret.js'
import type { Faults } from './faults.js'
import { oneLine, readSecret } from './secrets.js'
import { variables, type Environment } from './variables.js'

/** The forward proxies that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name. */
export function forwardProxies(environment: Environment, faults: Faults): ForwardProxies {
  return new ForwardProxies({
    https: readSecret('HTTPS_PROXY', environment, faults, parseProxy),
    http: httpProxy(environment, faults),
    noProxy: environment.NO_PROXY,
  })
}

/** In capitals: curl reads these names in small letters, too, and prefers them. */
export function withProxyNamesInCapitals(given: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const settled = { ...given }
  for (const name of ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']) {
    const small = name.toLowerCase()
    if ((given[small] ?? '') !== '') settled[name] = given[small]
    Reflect.deleteProperty(settled, small)
  }
  return settled
}

/** Like other secrets, but not from a file. */
function httpProxy({ HTTP_PROXY: text }: Environment, faults: Faults): Secret<ForwardProxy> | undefined {
  if (text === undefined) return undefined
  try {
    return new Secret('HTTP_PROXY', { text }, parseProxy)
  } catch (error) {
    if (!(error instanceof SecretError)) throw error
    faults.add(['HTTP_PROXY'], error.message)
    return undefined
  }
}

/** As curl reads it: without a scheme it is http. */
function parseProxy(text: string): ForwardProxy {
  const address = /^[a-z][a-z\d+.-]*:\/\//i.test(oneLine(text)) ? text : `http://${text}`
  const url = URL.canParse(address) ? new URL(address) : undefined
  const protocol = url?.protocol
  const isPlain = url?.pathname === '/' && url.search === '' && url.hash === '' && url.hostname !== ''
  if (!url || !isPlain || (protocol !== 'http:' && protocol !== 'https:'))
    throw new SecretError(
      `${variables.HTTPS_PROXY.should}; in a password % is %25, @ is %40, # is %23, / is %2F`,
    )
  const [user, password] = [decode(url.username), decode(url.password)]
  const pair = `${user}:${password}`
  return {
    protocol,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port === '' ? (protocol === 'https:' ? 443 : 80) : url.port),
    authorization: pair === ':' ? undefined : `Basic ${Buffer.from(pair).toString('base64')}`,
    password,
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new SecretError(`${variables.HTTPS_PROXY.should}; in a user or password % is %25`)
  }
}
