import type { FastifyInstance } from 'fastify'
import { Counter, Histogram, type Registry } from 'prom-client'
import { SECONDS } from './names.js'

/** Requests by route pattern, never by URL, so that the number of series is bounded. */
export function measureRequests(app: FastifyInstance, registry: Registry): void {
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests. code is that of the problem that was answered; status is empty where the caller left first.',
    labelNames: ['method', 'route', 'status', 'code'],
    registers: [registry],
    collect() {
      for (const each of series.values()) each.handOver()
    },
  })
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers: [registry],
  })
  const resolve = (method: string, route: string, status: string, code: string) => {
    const counter = requests.labels({ method, route, status, code })
    const histogram = durations.labels({ method, route, status })
    let count = 0
    return {
      add(milliseconds: number) {
        count += 1
        histogram.observe(milliseconds / 1000)
      },
      handOver() {
        counter.inc(count)
        count = 0
      },
    }
  }
  // Resolved once per combination, and counters only told when scraped: this runs for every request.
  const series = new Map<string, ReturnType<typeof resolve>>()

  app.onRequestEnd(({ method, problem }, reply, { route, answered }) => {
    const status = answered ? String(reply.statusCode) : ''
    const code = problem?.code ?? ''
    const key = `${method} ${route} ${status} ${code}`
    let one = series.get(key)
    if (!one) {
      one = resolve(method, route, status, code)
      series.set(key, one)
    }
    one.add(reply.elapsedTime)
  })
}
