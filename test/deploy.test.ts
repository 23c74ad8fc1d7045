import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { catalogue, type ProblemCode } from '../src/problems/catalogue.js'
import { secretNames, variables } from '../src/config/variables.js'
import { needsOf, seriesOf } from './support/exposition.js'
import { freePort } from './support/free-port.js'
import { ask, speak, startBoth } from './support/helper.js'
import { toolOrSkip } from './support/tools.js'

interface Alerts {
  groups: { rules: { alert: string; expr: string; annotations: { runbook_url: string } }[] }[]
}
interface Dashboard {
  panels: { title: string; targets?: { expr: string }[] }[]
  templating: { list: { name: string; query: unknown }[] }
}
interface Compose {
  services: Record<string, { environment?: Record<string, string>; ports?: string[] }>
}

const alerts = (parse(text('prometheus/alerts.yml')) as Alerts).groups.flatMap(({ rules }) => rules)
const { panels, templating } = JSON.parse(text('grafana/dashboard.json')) as Dashboard

const asked = [
  ...alerts.map(({ alert, expr }) => ({ place: alert, expr })),
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ place: title, expr }))),
]

/** Prometheus itself adds these to what it scrapes. */
const ADDED = new Set(['job', 'instance', 'namespace'])

t.test('alerts and dashboard ask only for what the service exports', async (t) => {
  const series = seriesOf(await scrape(t))
  for (const { place, expr } of asked) {
    t.ok(needsOf(expr).length > 0, `${place} needs a metric`)
    for (const { metric, labels } of needsOf(expr).filter(({ metric }) => metric !== 'up')) {
      const known = series.get(metric)
      t.ok(known, `${place}: ${metric}`)
      const unknown = labels.filter((label) => !ADDED.has(label) && !known?.has(label))
      t.strictSame(unknown, [], `${place}: labels of ${metric}`)
    }
  }
})

t.test('every alert and every panel keeps installations apart by namespace', (t) => {
  for (const { alert, expr } of alerts)
    for (const aggregation of expr.match(/\b(?:sum|min|max|avg|count)\b[^(]*\([^)]*\)/g) ?? [])
      t.match(aggregation, /by \([^)]*\bnamespace\b/, alert)
  for (const { title, targets = [] } of panels)
    for (const { expr } of targets)
      for (const [, selector = ''] of expr.matchAll(/\{([^}]*)\}/g))
        t.match(selector, 'namespace=~"$namespace"', title)
  t.match(
    templating.list.map(({ name }) => name),
    ['datasource', 'namespace'],
  )
  t.end()
})

t.test('alerts and dashboard know only problems that exist', (t) => {
  const values = asked.flatMap(({ expr }) => [...expr.matchAll(/(?:code|outcome)[=!~]+"([^"]*)"/g)])
  const codes = values.flatMap(([, value = '']) => value.split('|'))
  t.ok(codes.length > 0)
  t.strictSame(
    codes.filter((code) => !['', 'ok', ...Object.keys(catalogue)].includes(code)),
    [],
  )
  t.end()
})

t.test('what is asked of a metric is found in an expression', (t) => {
  t.strictSame(
    needsOf('sum by (a, le) (rate(x_total{b="c",d=~"e{1}|f"}[5m])) / y > 0 unless z{g!=""} offset 15m == 1'),
    [
      { metric: 'x_total', labels: ['b', 'd', 'a', 'le'] },
      { metric: 'y', labels: ['a', 'le'] },
      { metric: 'z', labels: ['g', 'a', 'le'] },
    ],
  )
  t.end()
})

t.test('every alert leads to its place in the guide', (t) => {
  const headings: string[] = readFileSync('docs/operating.md', 'utf8').match(/^### \w+$/gm) ?? []
  for (const { alert, annotations } of alerts) {
    t.equal(annotations.runbook_url, `{{ $externalLabels.runbooks }}/operating.md#${alert.toLowerCase()}`)
    t.ok(headings.includes(`### ${alert}`), `the guide says what ${alert} means`)
  }
  t.end()
})

t.test('every alert is tried', (t) => {
  const tried = text('prometheus/alerts.test.yml').matchAll(/ALERTS\{alertname="(\w+)"/g)
  const names = new Set([...tried].map(([, alert]) => alert))
  t.strictSame([...names].sort(), alerts.map(({ alert }) => alert).sort())
  t.end()
})

const noPromtool = spawnSync('promtool', ['--version']).error && 'promtool is not installed'
t.test('the alerts fire on a bad day and only then', { skip: noPromtool ?? false }, (t) => {
  const { status, stdout, stderr } = spawnSync(
    'promtool',
    ['test', 'rules', 'deploy/prometheus/alerts.test.yml'],
    { encoding: 'utf8' },
  )
  t.equal(status, 0, stdout + stderr)
  t.end()
})

t.test(
  "promtool's linter finds nothing in a scrape or in the alerts",
  { skip: noPromtool ?? false },
  async (t) => {
    const promtool = (check: string[], input = '') =>
      spawnSync('promtool', ['check', ...check], { encoding: 'utf8', input })
    const metrics = promtool(['metrics'], await scrape(t))
    t.equal(metrics.status, 0, metrics.stdout + metrics.stderr)
    const rules = promtool(['rules', '--lint=all', '--lint-fatal', 'deploy/prometheus/alerts.yml'])
    t.equal(rules.status, 0, rules.stdout + rules.stderr)
  },
)

t.test('the replicas of compose get variables of ours, and only the balancer is reachable', (t) => {
  const { services } = parse(text('compose.replicas.yml'), { merge: true }) as Compose
  const replicas = Object.entries(services).filter(([name]) => name.startsWith('replica-'))
  t.equal(replicas.length, 2)
  for (const [name, { environment = {} }] of replicas) {
    t.strictSame(
      Object.keys(environment).filter((variable) => !Object.hasOwn(variables, variable)),
      [],
    )
    t.ok(text('nginx.conf').includes(`server ${name}:3000`), `nginx knows ${name}`)
  }
  const ports = Object.values(services).flatMap(({ ports = [] }) => ports)
  t.strictSame(ports, ['127.0.0.1:3000:8080'])
  t.end()
})

const unit = text('systemd/zendesk-session-proxy.service')
t.test(
  'systemd accepts the unit, and notices a misspelled setting',
  toolOrSkip('systemd-analyze', '--version'),
  (t) => {
    const folder = t.testdir()
    const path = join(folder, 'zendesk-session-proxy.service')
    const verify = (content: string) => {
      // On this machine the service is elsewhere.
      const here = content
        .replaceAll('/usr/bin/node', process.execPath)
        .replace(/^WorkingDirectory=.*/m, `WorkingDirectory=${folder}`)
      writeFileSync(path, here)
      const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' })
      return { status, told: stdout + stderr }
    }
    t.same(verify(unit), { status: 0, told: '' })
    t.match(verify(unit.replace('ProtectHome', 'ProtectHomme')).told, 'ProtectHomme')
    t.end()
  },
)

t.test(
  'the unit starts the service with variables of ours, and gives it the time that it needs to end',
  (t) => {
    const settings = (name: string) =>
      [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value)
    const ours = new Set([...Object.keys(variables), ...secretNames.map((name) => `${name}_FILE`)])
    for (const name of settings('Environment')
      .flatMap((line) => line.split(' '))
      .map((pair) => pair.split('=')[0] ?? ''))
      t.ok(ours.has(name) || ['NODE_ENV', 'UV_THREADPOOL_SIZE'].includes(name), name)
    const [command = ''] = settings('ExecStart')
    t.ok(existsSync(command.replace(/^\S+ dist\/(\S+)\.js serve$/, '$1.ts')), command)
    const { SHUTDOWN_DELAY_MS: delayMs, SHUTDOWN_GRACE_MS: graceMs } = variables
    t.ok(Number(settings('TimeoutStopSec')[0]) * 1000 > delayMs.default + graceMs.default + 10_000)
    t.end()
  },
)

t.test('what nginx says by itself is in the words of the service', (t) => {
  const said = [...text('nginx.conf').matchAll(/return (\d+) '(.*)';/g)]
  t.ok(said.length > 0)
  for (const [, status, json = ''] of said) {
    const problem = JSON.parse(json) as Record<string, unknown>
    const { title, detail } = catalogue[problem['code'] as ProblemCode]
    t.match(problem, { type: `/problems/${String(problem['code'])}`, title, detail, status: Number(status) })
  }
  t.end()
})

const noNginx = spawnSync('nginx', ['-v']).error && 'nginx is not installed'
t.test(
  'nginx passes on what the service says, and says problems itself',
  { skip: noNginx ?? false },
  async (t) => {
    const service = await startBoth(t)
    const port = await startNginx(t, service.port)
    const head = `HTTP/1.1\r\nhost: localhost:${port}\r\nconnection: close\r\n`
    const says = async (
      request: string,
      status: number,
      code: string,
      header = 'cache-control: no-store',
    ) => {
      const answer = await speak(port, request)
      t.match(answer, new RegExp(`^HTTP/1.1 ${status} `), `${status} ${code}`)
      t.match(answer, new RegExp(`content-type: application/problem\\+json\r\n`, 'i'))
      t.match(answer, new RegExp(`^${header}\r$`, 'm'))
      t.match(answer, /^x-request-id: [\w-]+\r$/m)
      t.match(answer, /^x-content-type-options: nosniff\r$/m)
      const body = answer.slice(answer.indexOf('\r\n\r\n') + 4)
      t.match(JSON.parse(body), { status, code }, `${status} ${code}: body`)
    }
    t.match(await speak(port, `GET /session/renew ${head}\r\n`), /^HTTP\/1.1 200 .*"authenticity_token"/s)
    await says(`GET /nothing ${head}\r\n`, 404, 'not-found')
    const body = (size: number) =>
      `POST /session/renew ${head}content-length: ${size}\r\n\r\n${'a'.repeat(size)}`
    await says(body(2_000), 413, 'request-too-large')
    await says(body(100_000), 413, 'request-too-large')
    await says(`GET /${'a'.repeat(9_000)} ${head}\r\n`, 414, 'request-too-large')
    await says(`GET /${'a'.repeat(40_000)} ${head}\r\n`, 414, 'request-too-large')
    await says(`GET / ${head}a: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'request-too-large')
    await says(`GET / ${head}a: ${'a'.repeat(40_000)}\r\n\r\n`, 431, 'request-too-large')
    await says('this is no HTTP\r\n\r\n', 400, 'malformed-request')
    await says(`GET /%00 ${head}\r\n`, 400, 'malformed-request')
    await says(`POST / ${head}transfer-encoding: gzip\r\n\r\n`, 400, 'malformed-request')
    await says(`GET / HTTP/9.0\r\nhost: localhost\r\n\r\n`, 400, 'malformed-request')
    await says(`TRACE / ${head}\r\n`, 405, 'method-not-allowed', 'allow: GET')
    await says(`GET /nginx-says/400 ${head}\r\n`, 404, 'not-found')
    await service.app.close()
    await says(`GET /session/renew ${head}\r\n`, 503, 'service-unavailable', 'retry-after: 2')
  },
)

/** nginx with our configuration, but on loopback and before one replica; resolves to its port once it answers. */
async function startNginx(t: Test, replica: number): Promise<number> {
  const port = await freePort()
  const folder = t.testdir()
  const configuration = text('nginx.conf')
    .replace('listen 8080', `listen 127.0.0.1:${port}`)
    .replaceAll(/replica-\d:3000/g, `127.0.0.1:${replica}`)
    .replaceAll('/tmp/', `${folder}/`)
  const path = join(folder, 'nginx.conf')
  writeFileSync(path, configuration)
  const nginx = spawn('nginx', ['-e', 'stderr', '-c', path, '-g', 'daemon off; master_process off;'])
  t.teardown(async () => {
    nginx.kill()
    if (nginx.exitCode === null) await once(nginx, 'exit')
  })
  let said = ''
  nginx.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  while ((await fetch(`http://127.0.0.1:${port}/livez`).catch(() => undefined))?.status !== 200) {
    if (nginx.exitCode !== null) throw new Error(said)
    await delay(20)
  }
  return port
}

/** A scrape of a service that has seen a success, a failure at Zendesk, and no Redis. */
async function scrape(t: Test): Promise<string> {
  const port = await freePort()
  const { url, zendesk } = await startBoth(t, {
    METRICS_PORT: String(port),
    REDIS_URL_FILE: join(t.testdir({ 'redis-url': 'redis://127.0.0.1:1' }), 'redis-url'),
  })
  await ask(`${url}/session/renew`)
  zendesk.misbehave({ kind: 'status', status: 404 })
  await ask(`${url}/session/renew`)
  const { status, text } = await ask(`http://127.0.0.1:${port}/metrics`)
  t.equal(status, 200)
  return text
}

function text(path: string): string {
  return readFileSync(`deploy/${path}`, 'utf8')
}
