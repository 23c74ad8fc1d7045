import { isIP } from 'node:net'

/** Whether a host, as in a URL, a Host header without its port, or a listening address, is this machine and nobody else. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (isIP(name) === 4) return name.startsWith('127.')
  return name === 'localhost' || name === '::1' || name.endsWith('.localhost')
}
