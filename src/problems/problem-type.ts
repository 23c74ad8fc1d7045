/** What is written about one kind of problem. */
export interface ProblemType {
  /** The usual HTTP status. */
  status: number
  /** Fixed (RFC 9457, section 3.1.4). */
  title: string
  /** What the reader of one answer should do next. */
  detail: string
  /** Whether the same request can succeed later: after retry-after, after a moment, or only after a change. */
  retry: 'wait' | 'later' | 'no'
  /** This and the next two are the page at `/problems/{code}`. */
  meaning: string
  caller: string
  operator: string
  /** Whether it may pass by itself within moments, so that this service tries again. Absent: no. */
  isTransient?: boolean
  /** Whether it means that Zendesk is down or cannot be reached, which opens the circuit breaker. Absent: no. */
  isOutage?: boolean
}
