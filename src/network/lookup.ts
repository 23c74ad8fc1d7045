import { ADDRCONFIG, lookup as systemLookup, type LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'

/**
 * The address of a name, as `net.connect` asks for it, with one query per name at a time however many connections want it.
 * getaddrinfo occupies a thread of libuv for as long as a dead name server is silent; without sharing, retries to one such
 * name take all threads, and every other name waits behind them.
 */
export const lookup: LookupFunction = (hostname, options, callback) => {
  addressesOf(hostname).then(
    (addresses) => {
      const family = familyOf(options.family)
      const fitting = family === 0 ? addresses : addresses.filter((each) => each.family === family)
      const [first] = fitting
      if (!first) callback(notFound(hostname), '')
      else if (options.all) callback(null, fitting)
      else callback(null, first.address, first.family)
    },
    (error: unknown) => {
      callback(error as NodeJS.ErrnoException, '')
    },
  )
}

const underWay = new Map<string, Promise<LookupAddress[]>>()

/** Nothing is remembered once the query is over: a name may move at any time. */
function addressesOf(hostname: string): Promise<LookupAddress[]> {
  const shared = underWay.get(hostname)
  if (shared) return shared
  const query = new Promise<LookupAddress[]>((resolve, reject) => {
    systemLookup(hostname, { all: true, hints: ADDRCONFIG }, (error, addresses) => {
      underWay.delete(hostname)
      if (error) reject(error)
      else resolve(addresses)
    })
  })
  underWay.set(hostname, query)
  return query
}

function familyOf(family: number | 'IPv4' | 'IPv6' | undefined): number {
  if (family === 'IPv4') return 4
  if (family === 'IPv6') return 6
  return family ?? 0
}

function notFound(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), {
    code: 'ENOTFOUND',
    syscall: 'getaddrinfo',
  })
}
