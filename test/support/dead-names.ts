import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { pino } from 'pino'
import { buildApp } from '../../src/app.js'
import { readConfig } from '../../src/config/read.js'

/**
 * A program for a network namespace: its name server knows Zendesk and is silent about Redis, the issuer and the collector. A
 * service renews once a second for as many seconds as its argument says. Prints the statuses as JSON.
 */
const ADDRESS = '10.9.9.9'
const seconds = Number(process.argv[2])

const names = createSocket('udp4')
names.on('message', (query, { port, address }) => {
  if (!query.toString('latin1').includes('\x04dead')) names.send(answerTo(query), port, address)
})
names.bind(53, '127.0.0.1')
await once(names, 'listening')

let closed = 0
const zendesk = createServer((_request, response) => {
  closed += 1
  response.writeHead(200, { connection: 'close' }).end('{"authenticity_token":"t"}')
})
await once(zendesk.listen(0, ADDRESS), 'listening')

const issuer = 'https://issuer.dead.test'
const config = await readConfig({
  PORT: '0',
  DOCS: 'false',
  ZENDESK_URL: `http://zendesk.live.test:${(zendesk.address() as AddressInfo).port}`,
  ZENDESK_ALLOW_HTTP: 'true',
  ZENDESK_OAUTH_TOKEN: 'sandbox-token-not-a-secret',
  ZENDESK_BUDGET_PER_MINUTE: '0',
  CALLER_RATE_PER_MINUTE: '0',
  CALLER_KEYS: 'shop:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b',
  JWT_ISSUER: issuer,
  JWT_AUDIENCE: 'renewals',
  REDIS_URL: 'redis://redis.dead.test',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.dead.test:4318',
})
const app = await buildApp(config, pino({ level: 'silent' }))
const url = await app.listen({ host: '127.0.0.1', port: 0 })
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const claims = { iss: issuer, aud: 'renewals', exp: 9_999_999_999, sub: 'someone' }
const jwt = `${part({ alg: 'RS256', kid: 'k' })}.${part(claims)}.${'A'.repeat(342)}`

const withKey: number[] = []
const withJwt: number[] = []
for (let second = 0; second < seconds; second++) {
  const next = wait(1000)
  withKey.push(await renew('secret'))
  void renew(jwt).then((status) => withJwt.push(status))
  await next
}
process.stdout.write(JSON.stringify({ withKey, withJwt, closed }), () => process.exit(0))

async function renew(credential: string): Promise<number> {
  const response = await fetch(`${url}/session/renew`, { headers: { authorization: `Bearer ${credential}` } })
  return response.status
}

/** RFC 1035, section 4.1: the address for a question of type A, no record for others. */
function answerTo(query: Buffer): Buffer {
  const end = query.indexOf(0, 12) + 5
  const isA = query.readUInt16BE(end - 4) === 1
  const head = Buffer.from([...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0])
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...ADDRESS.split('.').map(Number)])
  return Buffer.concat([head, query.subarray(12, end), ...(isA ? [record] : [])])
}
