/** Before the names of all metrics that only this service has. */
export const PREFIX = 'zendesk_session_proxy'

/** Upper bounds of the buckets of durations, in seconds. */
export const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
