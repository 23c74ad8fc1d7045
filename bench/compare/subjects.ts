import { cores } from '../cores.js'
import { startProgram, type Running } from '../processes.js'
import { CALLER_HEADERS, RENEWAL_PATH, startService } from '../service.js'
import { UPSTREAM_TOKEN } from '../upstream.js'
import { startNginx, startVarnish, type Started } from './proxies.js'

/** What is compared, each one process on one core, and what each does not do. */
export const subjects = {
  'this service': {
    lacks: 'nothing: key, origin, limit, log and metrics are on; no token is kept',
    start: (upstream) =>
      startService({
        zendesk: upstream,
        environment: { ZENDESK_OAUTH_TOKEN: UPSTREAM_TOKEN, ZENDESK_BUDGET_PER_MINUTE: '0' },
      }),
  },
  'bare Fastify': {
    lacks: 'answers a constant; calls nothing',
    start: () => startFastify('bare'),
  },
  'http-proxy': {
    lacks: 'no key, origin, limit, log or metrics; one call for each request',
    start: (upstream) => startFastify('http-proxy', { UPSTREAM: upstream, UPSTREAM_TOKEN }),
  },
  nginx: {
    lacks: 'no key, origin, limit, log or metrics; one call for each request',
    start: (upstream) => startNginx(upstream, 'pass'),
  },
  'nginx cache': {
    lacks: 'no key, origin, limit, log or metrics; hands out tokens that it kept for up to a second',
    start: (upstream) => startNginx(upstream, 'cache'),
  },
  varnish: {
    lacks: 'no key, origin, limit, log or metrics; hands out tokens that it kept for up to a second',
    start: startVarnish,
  },
} as const satisfies Record<
  string,
  { lacks: string; start: (upstream: string) => Promise<Started | undefined> }
>

export type SubjectName = keyof typeof subjects

export interface Subject extends Running {
  name: SubjectName
  url: string
  headers: Record<string, string>
}

/** Undefined where this machine does not have it. */
export async function startSubject(name: SubjectName, upstream: string): Promise<Subject | undefined> {
  const started = await subjects[name].start(upstream)
  return started && { ...started, name, url: `${started.origin}${RENEWAL_PATH}`, headers: CALLER_HEADERS }
}

async function startFastify(kind: string, environment: Record<string, string> = {}): Promise<Started> {
  const running = startProgram('fastify', [kind], { core: cores?.measured, environment })
  const { port } = (await running.hear()) as { port: number }
  return { ...running, origin: `http://127.0.0.1:${port}` }
}
