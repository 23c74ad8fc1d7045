import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import getPort from 'get-port'
import { cores } from './cores.js'
import { answering, start, type Running } from './processes.js'

/** Public, and recognisable as fake wherever they turn up. */
export const CALLER_KEY = 'bench-caller-key-not-a-secret'
export const UPSTREAM_TOKEN = 'bench-upstream-token-not-a-secret'
export const RENEWAL_PATH = '/session/renew'
export const ZENDESK_PATH = '/api/v2/users/me/session/renew'
const CALLER_ORIGIN = 'https://app.example.com'
export const CALLER_HEADERS = { authorization: `Bearer ${CALLER_KEY}`, origin: CALLER_ORIGIN }

// This file runs as dist/bench/service.js.
export const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))
export const RESULTS = join(CHECKOUT, 'bench/results')
mkdirSync(RESULTS, { recursive: true })

/** For the environment of a service whose heap is to be read. */
export const HEAP_PROBE = {
  NODE_OPTIONS: `--import=${new URL('../test/support/heap-probe.js', import.meta.url).href}`,
}

interface ServiceOptions {
  port?: number
  /** A file to which standard output is appended; by default it is dropped. */
  output?: string
  /** The checkout whose build to run; default: this one. */
  checkout?: string
}

/** The built service with every feature on, as `npm start` starts it, once it is ready. */
export async function startService(
  zendesk: string,
  environment: Record<string, string | undefined> = {},
  { port, output, checkout = CHECKOUT }: ServiceOptions = {},
): Promise<Running> {
  const { scripts } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
    scripts: { start: string }
  }
  const listensOn = port ?? (await getPort())
  const service = start(listensOn, ['sh', '-c', scripts.start], {
    cwd: checkout,
    core: cores?.measured,
    ...(output !== undefined && { stdout: { file: output, append: true } }),
    environment: {
      HOST: '127.0.0.1',
      PORT: String(listensOn),
      METRICS_PORT: String(await getPort()),
      CALLER_KEYS: `bench:${createHash('sha256').update(CALLER_KEY).digest('hex')}`,
      // On, and too high to be reached.
      CALLER_RATE_PER_MINUTE: '1000000',
      CORS_ORIGINS: CALLER_ORIGIN,
      ZENDESK_URL: zendesk,
      ZENDESK_OAUTH_TOKEN: UPSTREAM_TOKEN,
      ZENDESK_BUDGET_PER_MINUTE: '0',
      ...environment,
    },
  })
  return answering(service, '/readyz')
}
