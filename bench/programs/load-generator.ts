import autocannon from 'autocannon'
import { quantile } from '../quantiles.js'

/** As many requests as the connections can carry, one at a time on each. */
export interface Load {
  url: string
  headers: Record<string, string>
  connections: number
  seconds: number
}

export interface LoadResult {
  answers: number
  /** Answers other than 200, connection errors and timeouts. */
  failures: number
  seconds: number
  p50Ms: number
  p99Ms: number
}

// autocannon in a process of its own. Its percentiles are whole milliseconds, too coarse to compare; ours come from its events.
process.on('message', ({ seconds, ...target }: Load) => {
  const times: number[] = []
  let failures = 0
  const run = autocannon({ ...target, duration: seconds, timeout: 10 }, (error: Error | null, result) => {
    if (error) throw error
    process.send?.({
      answers: times.length,
      failures: failures + result.errors,
      seconds: result.duration,
      p50Ms: quantile(times, 0.5),
      p99Ms: quantile(times, 0.99),
    } satisfies LoadResult)
  })
  run.on('response', (_client, status, _bytes, ms) => {
    if (status === 200) times.push(ms)
    else failures += 1
  })
})
process.once('disconnect', () => process.exit())
process.send?.({ ready: true })
