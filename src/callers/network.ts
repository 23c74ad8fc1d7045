import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'

/** What is counted as one address: of IPv6 the /64, since one subscriber has at least that many (RFC 6177). */
export function networkOf(client: string): string {
  const address = withoutPort(client)
  if (isIPv4(address)) return address
  if (!isIPv6(address)) return 'unknown'
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  const [head = '', tail] = address.replace(/%.*$/, '').split('::', 2)
  const first = groups(head)
  const last = tail === undefined ? [] : groups(tail)
  const zeros = Array.from({ length: Math.max(8 - first.length - last.length, 0) }, () => '0')
  return `${[...first, ...zeros, ...last].slice(0, 4).join(':')}::/64`
}

/**
 * For Fastify's option `trustProxy`: whether an address of the x-forwarded-for chain is a proxy of ours. Gateways that write
 * ports into the chain would otherwise hide every client behind the first of them.
 */
export function trustOf(ranges: string[]): (address: string) => boolean {
  const trusted = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/')
    const family = familyOf(address)
    if (prefix === undefined) trusted.addAddress(address, family)
    else trusted.addSubnet(address, Number(prefix), family)
  }
  return (hop) => {
    const address = withoutPort(hop)
    return isIP(address) !== 0 && trusted.check(address, familyOf(address))
  }
}

/** Some gateways write the port too: 192.0.2.1:4711, [2001:db8::1]:4711. */
export function withoutPort(address: string): string {
  return /^([\d.]+):\d+$/.exec(address)?.[1] ?? /^\[(.*)\](?::\d+)?$/.exec(address)?.[1] ?? address
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6'
}

/** Without leading zeros and in lower case, so that one network has one name. A dotted end counts as its two groups. */
function groups(text: string): string[] {
  if (text === '') return []
  return text
    .toLowerCase()
    .split(':')
    .flatMap((group) => (group.includes('.') ? ['0', '0'] : [group.replace(/^0+(?=.)/, '')]))
}
