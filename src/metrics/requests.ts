import type { FastifyInstance, RequestKind } from 'fastify'
import { Counter, type Registry } from 'prom-client'
import { DurationHistogram } from './duration-histogram.js'

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
  const durations = new DurationHistogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer.',
    registry,
  })
  const measure = ({ method, route, status, code }: RequestKind) => {
    const labels = { method, route, status: status ?? '' }
    const counter = requests.labels({ ...labels, code: code ?? '' })
    const duration = durations.seriesOf(labels)
    let count = 0
    return {
      add(milliseconds: number) {
        count += 1
        duration.observe(milliseconds / 1000)
      },
      handOver() {
        counter.inc(count)
        count = 0
      },
    }
  }
  // Resolved once for each kind, and counters only told when scraped: this runs for every request.
  const series = new Map<RequestKind, ReturnType<typeof measure>>()

  app.onRequestEnd((_request, reply, kind) => {
    let one = series.get(kind)
    if (!one) {
      one = measure(kind)
      series.set(kind, one)
    }
    one.add(reply.elapsedTime)
  })
}
