import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { parse } from 'yaml'
import { catalogue } from '../src/catalogue.js'
import { variables } from '../src/config/variables.js'
import { needsOf, seriesOf } from './exposition.js'
import { ask, startBoth } from './helper.js'

interface Alerts {
  groups: { rules: { alert: string; expr: string; annotations: { runbook: string } }[] }[]
}
interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[]
}
interface Compose {
  services: Record<string, { environment?: Record<string, string>; ports?: string[] }>
}

const alerts = (parse(text('prometheus/alerts.yml')) as Alerts).groups.flatMap(({ rules }) => rules)
const { panels } = JSON.parse(text('grafana/dashboard.json')) as Dashboard

const asked = [
  ...alerts.map(({ alert, expr }) => ({ place: alert, expr })),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ place: title, expr }))),
]

/** Prometheus itself adds these to what it scrapes. */
const ADDED = new Set(['job', 'instance'])

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
    needsOf('sum by (a, le) (rate(x_total{b="c",d=~"e{1}|f"}[5m])) / y > 0 unless z{g!=""} == 1'),
    [
      { metric: 'x_total', labels: ['b', 'd', 'a', 'le'] },
      { metric: 'y', labels: ['a', 'le'] },
      { metric: 'z', labels: ['g', 'a', 'le'] },
    ],
  )
  t.end()
})

t.test('every alert leads to its place in the guide', (t) => {
  const headings: string[] = readFileSync('docs/operations.md', 'utf8').match(/^### \w+$/gm) ?? []
  for (const { alert, annotations } of alerts) {
    t.equal(annotations.runbook, `docs/operations.md#${alert.toLowerCase()}`)
    t.ok(headings.includes(`### ${alert}`), `the guide says what ${alert} means`)
  }
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

/** A scrape of a service that has seen a success, a failure of Zendesk's, and no Redis. */
async function scrape(t: Parameters<typeof startBoth>[0]): Promise<string> {
  const port = await freePort()
  const { url, zendesk } = await startBoth(t, {
    METRICS_PORT: String(port),
    REDIS_URL: 'redis://127.0.0.1:1',
  })
  await ask(`${url}/session/renew`)
  zendesk.misbehave({ kind: 'status', status: 404 })
  await ask(`${url}/session/renew`)
  const { status, text } = await ask(`http://127.0.0.1:${port}/metrics`)
  t.equal(status, 200)
  return text
}

async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  return port
}

function text(path: string): string {
  return readFileSync(`deploy/${path}`, 'utf8')
}
