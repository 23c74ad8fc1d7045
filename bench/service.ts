import { createHash } from 'node:crypto'
import { SERVICE_PATH } from './paths.js'
import { freePort } from './ports.js'
import { answering, startNode, type Running } from './processes.js'

/** Public, and recognisable as fake wherever it turns up. */
export const CALLER_KEY = 'bench-caller-key-not-a-secret'
export const CALLER_ORIGIN = 'https://app.example.com'
export const RENEWAL_PATH = '/session/renew'
export const CALLER_HEADERS = { authorization: `Bearer ${CALLER_KEY}`, origin: CALLER_ORIGIN }

export interface ServiceOptions {
  zendesk: string
  /** On top of what follows, or in its place. */
  environment: Record<string, string>
  core?: number | undefined
  port?: number
  output?: string
  nodeOptions?: string[]
}

export interface Service extends Running {
  origin: string
  port: number
}

/** The built service with everything on that it has, ready. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const service = await launchService(options)
  await answering(`${service.origin}/readyz`, service)
  return service
}

/** The same, without waiting for it. */
export async function launchService(options: ServiceOptions): Promise<Service> {
  const port = options.port ?? (await freePort())
  const running = startNode(SERVICE_PATH, {
    args: options.nodeOptions ?? [],
    core: options.core,
    ...(options.output !== undefined && { output: options.output }),
    environment: {
      HOST: '127.0.0.1',
      PORT: String(port),
      METRICS_PORT: String(await freePort()),
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
