import { isIPv4, isIPv6 } from 'node:net'

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

/** Some gateways write the client's port into x-forwarded-for. */
function withoutPort(client: string): string {
  return /^([\d.]+):\d+$/.exec(client)?.[1] ?? /^\[(.*)\](?::\d+)?$/.exec(client)?.[1] ?? client
}

/** Without leading zeros and in lower case, so that one network has one name. A dotted end counts as its two groups. */
function groups(text: string): string[] {
  if (text === '') return []
  return text
    .toLowerCase()
    .split(':')
    .flatMap((group) => (group.includes('.') ? ['0', '0'] : [group.replace(/^0+(?=.)/, '')]))
}
