import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import { version } from '../version.js'
import { PREFIX } from './names.js'
import { measureRedis } from './redis.js'
import { measureRequests } from './requests.js'
import { measureSecretFiles } from './secret-files.js'
import { measureZendesk } from './zendesk.js'

/** Measures the service from now on. Names and labels are an interface: alerts and dashboards build on them. */
export function startMetrics(app: FastifyInstance): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  // Gauges whose names end like those of counters; the same numbers are there by type, under names without the suffix.
  for (const name of ['handles', 'requests', 'resources'])
    registry.removeSingleMetric(`nodejs_active_${name}_total`)
  new Gauge({
    name: `${PREFIX}_build_info`,
    help: 'Always 1; which version runs, and on what.',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version, node: process.version }, 1)
  new Counter({
    name: `${PREFIX}_log_lines_dropped_total`,
    help: 'Log lines that could not be written: the disk is full, or the reader is gone or does not read.',
    registers: [registry],
    collect() {
      this.reset()
      this.inc(app.logLoss.dropped)
    },
  })
  measureSecretFiles(app.config.secretFiles, registry)
  measureRequests(app, registry)
  measureZendesk(app, registry)
  if (app.redis) measureRedis(app.redis, registry)
  return registry
}
