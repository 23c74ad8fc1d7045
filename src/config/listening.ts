import { isIP } from 'node:net'
import type { Faults } from './faults.js'
import { variables, type Environment } from './variables.js'

/** Where to listen. Checked before who may call, or a malformed HOST would be reported as missing callers. */
export function checkListening(environment: Environment, faults: Faults): void {
  const { HOST: host, PORT: port, METRICS_PORT: metricsPort } = environment
  if (isIP(host) === 0 && !isHostName(host)) faults.add(['HOST'], variables.HOST.should)
  if (metricsPort !== undefined && metricsPort !== 0 && metricsPort === port) {
    faults.add(['METRICS_PORT'], 'another port than PORT')
  }
}

/** RFC 1123, section 2.1, and the underscore of container networks. A name does not end in a number: that is half an address. */
function isHostName(host: string): boolean {
  const labels = host.replace(/\.$/, '').split('.')
  const formed = labels.every((label) => /^[a-z\d_]([a-z\d_-]{0,61}[a-z\d_])?$/i.test(label))
  return formed && host.length <= 253 && !/^\d+$/.test(labels.at(-1) ?? '')
}

/** Of `localhost`, one address: for the other Fastify would open a second server, which knows nothing of what is added to the first. */
export function listeningHost({ HOST: host }: Environment): string {
  return host.toLowerCase() === 'localhost' ? '127.0.0.1' : host
}
