import { once } from 'node:events'
import { lookup } from 'node:dns/promises'
import { connect, isIP } from 'node:net'
import { Deadline } from '../../zendesk/deadline.js'
import { fail, ok, type Finding } from '../finding.js'
import { authorityOf, endpointOf, type Target } from '../target.js'
import { checkForwardProxy } from './forward-proxy.js'

/** The name has an address, and something listens there. */
export async function checkAddress(target: Target): Promise<Finding[]> {
  const proxy = target.proxies.proxyFor(target.origin)
  if (proxy) return [await checkForwardProxy(target, proxy)]
  const { host, port } = endpointOf(target)
  const deadline = new Deadline(target.timeoutMs)
  try {
    const addresses = await deadline.bound(lookup(host, { all: true }))
    await connects(host, port, deadline.signal)
    const found = isIP(host) ? host : `${host} is ${addresses.map(({ address }) => address).join(', ')}`
    return [ok(`${found}; port ${port} accepts connections`)]
  } catch (error) {
    return [unreachable(deadline.signal.aborted ? 'ETIMEDOUT' : errorCode(error), target)]
  } finally {
    deadline.end()
  }
}

async function connects(host: string, port: number, signal: AbortSignal): Promise<void> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect', { signal })
  } finally {
    socket.on('error', () => undefined).destroy()
  }
}

function unreachable(code: string, target: Target): Finding {
  const { host } = endpointOf(target)
  const place = authorityOf(target)
  switch (code) {
    case 'ENOTFOUND':
    case 'ENODATA':
      return fail(`${host} could not be resolved (${code})`, MISSPELLED_OR_NO_RESOLVER)
    case 'EAI_AGAIN':
      return fail(`${host} could not be resolved: no name server answered (${code})`, NO_RESOLVER)
    case 'ECONNREFUSED':
      return fail(`connection refused at ${place}`, REFUSED)
    case 'ETIMEDOUT':
      return fail(`no connection to ${place} within ${target.timeoutMs} ms`, SWALLOWED)
    default:
      return fail(`no connection to ${place} (${code})`, NO_ROUTE)
  }
}

const MISSPELLED_OR_NO_RESOLVER =
  'Correct ZENDESK_URL. Every name under zendesk.com resolves: if one does not resolve here, fix DNS on this machine, or set HTTPS_PROXY if it reaches the internet through a proxy only.'
const NO_RESOLVER =
  'Fix DNS on this machine or in this container: its name server, and the network path to it.'
const REFUSED = 'Check the port in ZENDESK_URL, and whether a firewall rejects connections.'
const SWALLOWED =
  'Look for a firewall, security group or network policy that drops packets to this address, and allow it. If there is a forward proxy, set HTTPS_PROXY.'
const NO_ROUTE = 'Fix the network of this machine: it cannot reach this address.'

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
