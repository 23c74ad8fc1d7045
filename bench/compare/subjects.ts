import { cores } from '../cores.js'
import { startProgram, type Running } from '../processes.js'
import { CALLER_HEADERS, RENEWAL_PATH, startService, UPSTREAM_TOKEN, ZENDESK_PATH } from '../service.js'
import { startNginx, startVarnish } from './proxies.js'

export const OWN = 'this service'

const UPSTREAM_HEADERS = { authorization: `Bearer ${UPSTREAM_TOKEN}` }
const core = cores?.measured
const proxyOnly = 'no key, origin, limit, log or metrics; one call for each request'
const cacheOnly = 'no key, origin, limit, log or metrics; hands out tokens that it kept for up to a second'

/** What is compared, each one process on one core, and what each does not do. */
export const subjects = {
  [OWN]: {
    lacks: 'nothing: key, origin, limit, log and metrics are on; no token is kept',
    start: (upstream) => startService(upstream),
  },
  'bare Fastify': {
    lacks: 'answers a constant; calls nothing',
    start: () => startProgram('fastify', ['bare'], { core }),
  },
  'http-proxy': {
    lacks: proxyOnly,
    start: (UPSTREAM) =>
      startProgram('fastify', ['http-proxy'], { core, environment: { UPSTREAM, UPSTREAM_TOKEN } }),
  },
  nginx: { lacks: proxyOnly, start: (upstream) => startNginx(upstream) },
  'nginx cache': { lacks: cacheOnly, start: (upstream) => startNginx(upstream, { cache: true }) },
  varnish: { lacks: cacheOnly, start: startVarnish },
  /** The upstream, asked without anything between, on the core of the load. */
  'Zendesk itself': {
    lacks: 'everything between',
    start: () => startProgram('upstream', [], { environment: { UPSTREAM_TOKEN } }),
  },
} as const satisfies Record<string, { lacks: string; start: Start }>

type Start = (upstream: string) => Promise<Running | undefined>

export type SubjectName = keyof typeof subjects

export interface Subject extends Running {
  name: SubjectName
  url: string
  headers: Record<string, string>
}

/** Undefined where this machine does not have it. */
export async function startSubject(name: SubjectName, upstream: string): Promise<Subject | undefined> {
  const running: Running | undefined = await subjects[name].start(upstream)
  return running && asSubject(name, running)
}

export async function startUpstream(): Promise<Subject> {
  return asSubject('Zendesk itself', await subjects['Zendesk itself'].start())
}

export function asSubject(name: SubjectName, running: Running): Subject {
  return name === 'Zendesk itself'
    ? { ...running, name, url: running.origin + ZENDESK_PATH, headers: UPSTREAM_HEADERS }
    : { ...running, name, url: running.origin + RENEWAL_PATH, headers: CALLER_HEADERS }
}
