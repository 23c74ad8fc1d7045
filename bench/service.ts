import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import getPort from 'get-port'
import { cores } from './cores.js'
import { answering, start, type Running } from './processes.js'

/** Public, and recognisable as fake wherever it turns up. */
export const CALLER_KEY = 'bench-caller-key-not-a-secret'
const CALLER_ORIGIN = 'https://app.example.com'
export const RENEWAL_PATH = '/session/renew'
export const CALLER_HEADERS = { authorization: `Bearer ${CALLER_KEY}`, origin: CALLER_ORIGIN }

// This file runs as dist/bench/service.js.
export const DIST = fileURLToPath(new URL('..', import.meta.url))

export interface ServiceOptions {
  zendesk: string
  /** Added to the environment below, or replacing it. */
  environment: Record<string, string>
  port?: number
  output?: string
  nodeOptions?: readonly string[]
  /** The build to run; default: this one. */
  dist?: string
}

export interface Service extends Running {
  origin: string
  port: number
}

/** The built service with every feature on, ready. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const service = await launchService(options)
  await answering(`${service.origin}/readyz`, service)
  return service
}

/** The same, without waiting until it is ready. */
export async function launchService(options: ServiceOptions): Promise<Service> {
  const port = options.port ?? (await getPort())
  const dist = options.dist ?? DIST
  const running = start({
    command: process.execPath,
    args: [...(options.nodeOptions ?? []), ...startArguments(dist)],
    cwd: dirname(join(dist, 'package.json')),
    core: cores?.measured,
    output: options.output,
    environment: {
      HOST: '127.0.0.1',
      PORT: String(port),
      METRICS_PORT: String(await getPort()),
      LOG_LEVEL: 'info',
      CALLER_KEYS: `bench:${createHash('sha256').update(CALLER_KEY).digest('hex')}`,
      // On, and too high to be reached.
      CALLER_RATE_PER_MINUTE: '1000000',
      CORS_ORIGINS: CALLER_ORIGIN,
      ZENDESK_URL: options.zendesk,
      ...options.environment,
    },
  })
  return { ...running, port, origin: `http://127.0.0.1:${port}` }
}

/** What follows `node` in the `start` script of that build, so that Node's options are those of `npm start`. */
function startArguments(dist: string): string[] {
  const { scripts } = JSON.parse(readFileSync(join(dist, 'package.json'), 'utf8')) as {
    scripts: { start: string }
  }
  const [, words] = /\bexec node (.*)$/.exec(scripts.start) ?? []
  if (words === undefined) throw new Error(`cannot read the start script of ${dist}: ${scripts.start}`)
  return words.split(' ').map((word) => (word.startsWith('dist/') ? join(dist, word.slice(5)) : word))
}
