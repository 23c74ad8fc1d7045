import { cores } from './cores.js'
import { startNginx } from './nginx.js'
import { programPath } from './paths.js'
import { hear, startNode, type Running } from './processes.js'
import { RENEWAL_PATH, startService } from './service.js'

export const subjectNames = ['this service', 'bare Fastify', 'http-proxy', 'nginx'] as const
export type SubjectName = (typeof subjectNames)[number]

/** What is compared: one process that answers renewals. */
export interface Subject extends Running {
  name: SubjectName
  url: string
}

export interface SubjectOptions {
  upstream: string
  token: string
  budgetPerMinute: number
}

/** Started on the core of what is measured; undefined where this machine does not have it. */
export async function startSubject(name: SubjectName, options: SubjectOptions): Promise<Subject | undefined> {
  const started = await starters[name](options, cores()?.measured)
  return started && { ...started, name, url: `${started.origin}${RENEWAL_PATH}` }
}

type Starter = (
  options: SubjectOptions,
  core: number | undefined,
) => Promise<(Running & { origin: string }) | undefined>

const starters: Record<SubjectName, Starter> = {
  'this service': ({ upstream, token, budgetPerMinute }, core) =>
    startService({
      zendesk: upstream,
      core,
      environment: {
        ZENDESK_OAUTH_TOKEN: token,
        ZENDESK_BUDGET_PER_MINUTE: String(budgetPerMinute),
      },
    }),
  'bare Fastify': (options, core) => startProxy('bare-fastify', options, core),
  'http-proxy': (options, core) => startProxy('http-proxy', options, core),
  nginx: ({ upstream, token }, core) => startNginx(upstream, token, core),
}

async function startProxy(program: string, { upstream, token }: SubjectOptions, core: number | undefined) {
  const running = startNode(programPath(program), {
    args: [],
    core,
    environment: { UPSTREAM: upstream, UPSTREAM_TOKEN: token },
  })
  const { port } = await hear<{ port: number }>(running)
  return { ...running, origin: `http://127.0.0.1:${port}` }
}
