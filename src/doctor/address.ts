import { once } from 'node:events'
import { lookup } from 'node:dns/promises'
import { connect, isIP } from 'node:net'
import { Deadline } from '../zendesk/deadline.js'
import { fail, ok, type Finding } from './finding.js'
import { endpointOf, type Target } from './target.js'

/** The name has an address, and something listens there. */
export async function checkAddress(target: Target): Promise<Finding[]> {
  const { host, port } = endpointOf(target)
  const deadline = new Deadline(target.timeoutMs)
  try {
    const addresses = await deadline.bound(lookup(host, { all: true }))
    await connects(host, port, deadline.signal)
    const found = isIP(host) ? host : `${host} is ${addresses.map(({ address }) => address).join(', ')}`
    return [ok(`${found}; port ${port} answers`)]
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
  const { host, port } = endpointOf(target)
  const place = `${host}, port ${port}`
  switch (code) {
    case 'ENOTFOUND':
    case 'ENODATA':
      return fail(`the name ${host} has no address`, MISSPELT_OR_DEAF)
    case 'EAI_AGAIN':
      return fail(`no name server answers the question for ${host}`, DEAF)
    case 'ECONNREFUSED':
      return fail(`nobody listens at ${place} (ECONNREFUSED)`, REFUSED)
    case 'ETIMEDOUT':
      return fail(`no connection to ${place} within ${target.timeoutMs} ms`, SWALLOWED)
    default:
      return fail(`no connection to ${place} (${code})`, NO_ROUTE)
  }
}

const MISSPELT_OR_DEAF =
  'Correct ZENDESK_URL. Every name under zendesk.com has an address: if such a one has none here, fix the name server of this machine.'
const DEAF = 'Fix the name resolution of this machine or container: its name server, and the way out to it.'
const REFUSED = 'Check the port in ZENDESK_URL, and whether a firewall turns connections away.'
const SWALLOWED =
  'Look for a firewall, security group or network policy that drops packets to this address; let this machine out to it.'
const NO_ROUTE = 'Fix the network of this machine: it has no route to this address.'

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
