import type { Histogram, MetricValueWithName, Registry } from 'prom-client'
import { SECONDS } from './names.js'

/**
 * A histogram that counts in plain numbers and is read by prom-client when scraped. prom-client's own looks up the labels for
 * each value, which is too much for what every request observes.
 */
export class DurationHistogram {
  readonly name: string
  readonly help: string
  readonly type = 'histogram'
  readonly aggregator = 'sum'
  readonly #series = new Map<string, Series>()

  constructor({ name, help, registry }: { name: string; help: string; registry: Registry }) {
    this.name = name
    this.help = help
    // A registry uses no more of a metric than this class has.
    registry.registerMetric(this as unknown as Histogram)
  }

  /** To be kept, since it looks the labels up. */
  seriesOf(labels: Record<string, string | number>): Pick<Series, 'observe'> {
    const key = JSON.stringify(labels)
    const series = this.#series.get(key) ?? new Series(labels)
    this.#series.set(key, series)
    return series
  }

  /** For the registry. */
  get() {
    const { name, help, type, aggregator } = this
    const values = [...this.#series.values()].flatMap((series) => series.samples(name))
    return Promise.resolve({ name, help, type, aggregator, values })
  }
}

class Series {
  readonly #labels: Record<string, string | number>
  /** For each bound the values between it and the one before; behind them those above all bounds. */
  readonly #counts = new Array<number>(SECONDS.length + 1).fill(0)
  #sum = 0

  constructor(labels: Record<string, string | number>) {
    this.#labels = labels
  }

  observe(seconds: number): void {
    let index = 0
    while (index < SECONDS.length && seconds > (SECONDS[index] ?? 0)) index += 1
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#sum += seconds
  }

  samples(name: string): MetricValueWithName<string>[] {
    const labels = this.#labels
    let total = 0
    const buckets = this.#counts.map((count, index) => ({
      metricName: `${name}_bucket`,
      labels: { le: SECONDS[index] ?? '+Inf', ...labels },
      value: (total += count),
    }))
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: total },
    ]
  }
}
