import { BlockList, isIP } from 'node:net'

/**
 * Whether NO_PROXY names this host: a list separated by commas or blanks, of names (each with all names below it), addresses,
 * ranges in CIDR notation, or `*` for everything. An entry may name a port.
 */
export function bypasses(list: string, hostname: string, port: string): boolean {
  const host = bare(hostname)
  return list.split(/[\s,]+/).some((entry) => entry !== '' && fits(entry, host, port))
}

function fits(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  const [, named = entry, onlyPort] = /^([^:]+|\[.*\]):(\d+)$/.exec(entry) ?? []
  if (onlyPort !== undefined && onlyPort !== port) return false
  if (isIP(host) !== 0) return holdsAddress(bare(named), host)
  const name = bare(named.replace(/^\*?\./, ''))
  return host === name || host.endsWith(`.${name}`)
}

function holdsAddress(entry: string, address: string): boolean {
  const [network = '', bits] = entry.split('/')
  const version = isIP(bare(network))
  if (version === 0 || version !== isIP(address)) return false
  const prefix = bits === undefined ? (version === 4 ? 32 : 128) : Number(bits)
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > (version === 4 ? 32 : 128)) return false
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const range = new BlockList()
  range.addSubnet(bare(network), prefix, family)
  return range.check(address, family)
}

/** In lower case, without brackets and without the dot that may end a name. */
function bare(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]/, '$1')
    .replace(/\.$/, '')
}
