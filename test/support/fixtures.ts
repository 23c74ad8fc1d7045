import { createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import type { Test } from 'tap'
import { ask, startBoth, startService } from './helper.js'
import type { SandboxZendesk } from '../sandbox/zendesk.js'

export type Asked = Awaited<ReturnType<typeof ask>>

/** What a caller is to be told when Zendesk fails; what is not named must be absent. */
export interface ToldProblem {
  status: number
  code: string
  retryAfter?: number
  /** With an id where Zendesk itself answered, without where only the edge did. */
  zendesk?: { status: number; requestId?: RegExp }
}

/** Contract, section 4, for one answer: the document, its headers, and nothing else. */
export function checkProblem(t: Test, { status, headers, body, text }: Asked, expected: ToldProblem): void {
  t.equal(status, expected.status)
  t.equal(headers.get('content-type'), 'application/problem+json')
  t.match(body, {
    type: `/problems/${expected.code}`,
    title: /^\w.{10,}/,
    status: expected.status,
    detail: /^\w.{10,}\.$/,
    code: expected.code,
    requestId: headers.get('x-request-id'),
    ...(expected.zendesk && { zendesk: expected.zendesk }),
  })
  t.same(Object.keys(body?.['zendesk'] ?? {}), Object.keys(expected.zendesk ?? {}))
  t.equal(body?.['retryAfter'], expected.retryAfter)
  t.equal(headers.get('retry-after'), expected.retryAfter === undefined ? null : String(expected.retryAfter))
  t.same(
    [...headers.keys()].filter((name) => !OURS.test(name)),
    [],
    'no header of Zendesk',
  )
  t.same(
    Object.keys(body ?? {}).filter((name) => !MEMBERS.has(name)),
    [],
    'no other member',
  )
  t.notMatch(text, /nginx|cloudflare|_zendesk|SEA-|Web Password|help desk configured/i)
}

const OURS =
  /^(cache-control|connection|content-(length|type)|date|keep-alive|retry-after|vary|x-content-type-options|x-request-id|ratelimit.*)$/
const MEMBERS = new Set(['type', 'title', 'status', 'detail', 'code', 'requestId', 'retryAfter', 'zendesk'])

/** Waits until the condition holds; an error after `withinMs`, which by default only ends a test that hangs. */
export async function until(what: string, condition: () => unknown, withinMs = 45_000): Promise<void> {
  const endsAt = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > endsAt) throw new Error(`waited in vain until ${what}`)
    await wait(5)
  }
}

/** Asks again, twice at the most, where the answer took longer: a busy machine is late now and then, a defect always. */
export async function within(limitMs: number, asking: () => Promise<Asked>): Promise<Asked> {
  let answer = await asking()
  for (let again = 0; again < 2 && answer.tookMs > limitMs; again++) answer = await asking()
  return answer
}

/** The four kinds of credential: the whole environment with each, the header it makes, and what must never be seen. */
export function credentialKinds({ url, credentials }: SandboxZendesk) {
  const { email, password, apiToken, bearerToken, clientId, clientSecret } = credentials
  const common = {
    ZENDESK_URL: url,
    ZENDESK_BUDGET_PER_MINUTE: '0',
    CALLER_RATE_PER_MINUTE: '0',
    DOCS: 'false',
  }
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`
  return [
    {
      kind: 'client credentials',
      environment: {
        ...common,
        ZENDESK_OAUTH_CLIENT_ID: clientId,
        ZENDESK_OAUTH_CLIENT_SECRET: clientSecret,
      },
      authorization: /^Bearer sandbox-access-token-[0-9a-f]{32}$/,
      secret: clientSecret,
    },
    {
      kind: 'bearer token',
      environment: { ...common, ZENDESK_OAUTH_TOKEN: bearerToken },
      authorization: `Bearer ${bearerToken}`,
      secret: bearerToken,
    },
    {
      kind: 'API token',
      environment: { ...common, ZENDESK_EMAIL: email, ZENDESK_API_TOKEN: apiToken },
      authorization: basic(`${email}/token:${apiToken}`),
      secret: apiToken,
    },
    {
      kind: 'password',
      environment: { ...common, ZENDESK_EMAIL: email, ZENDESK_PASSWORD: password },
      authorization: basic(`${email}:${password}`),
      secret: password,
    },
  ]
}

/** Several services, each with a sandbox of its own, once the work of starting them weighs on none of them any more. */
export async function startPairs(t: Test, count: number) {
  const pairs: Awaited<ReturnType<typeof startBoth>>[] = []
  while (pairs.length < count) pairs.push(await startBoth(t, { DOCS: 'false' }))
  for (const { url } of pairs)
    await until('it is ready', async () => (await ask(`${url}/readyz`)).status === 200)
  return pairs
}

/** A Zendesk of raw bytes, for answers in two parts: `talk` gets each connection with each request on it. Gives the origin. */
export async function startRawZendesk(
  t: Test,
  talk: (socket: Socket, request: string) => void,
): Promise<string> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      talk(socket, chunk.toString('latin1'))
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`
}

/** A service that asks a Zendesk of raw bytes. */
export async function startRaw(t: Test, talk: (socket: Socket, request: string) => void, environment = {}) {
  const origin = await startRawZendesk(t, talk)
  return startService(t, {
    ZENDESK_URL: origin,
    ZENDESK_OAUTH_TOKEN: 'sandbox-bearer-token-not-a-secret',
    ZENDESK_BUDGET_PER_MINUTE: '0',
    DOCS: 'false',
    ...environment,
  })
}
