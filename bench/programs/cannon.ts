import autocannon from 'autocannon'
import { quantile } from '../median.js'

/** As many requests as so many connections can make, one after the other on each. */
export interface Volley {
  url: string
  headers: Record<string, string>
  connections: number
  seconds: number
}

export interface VolleyResult {
  answers: number
  /** With those that were still under way at the end. */
  sent: number
  /** Answers that were no 200, connection errors and timeouts. */
  failures: number
  seconds: number
  p50Ms: number
  p99Ms: number
}

/** autocannon in a process of its own. Its percentiles are whole milliseconds, too coarse to compare; ours come from its events. */
process.on('message', ({ seconds, ...volley }: Volley) => {
  const took: number[] = []
  let failures = 0
  const shooting = autocannon({ ...volley, duration: seconds, timeout: 10 })
  shooting.on('response', (_client: unknown, status: number, _bytes: number, ms: number) => {
    if (status === 200) took.push(ms)
    else failures += 1
  })
  shooting.then(
    ({ duration, errors, requests }) => {
      process.send?.({
        answers: took.length,
        sent: requests.sent,
        failures: failures + errors,
        seconds: duration,
        p50Ms: quantile(took, 0.5),
        p99Ms: quantile(took, 0.99),
      } satisfies VolleyResult)
    },
    (error: unknown) => {
      throw error
    },
  )
})
process.once('disconnect', () => process.exit())
process.send?.({ ready: true })
