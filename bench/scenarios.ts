import type { SubjectName } from './subjects.js'

/** Speed, under as many requests as the connections can carry. */
export const scenarios = {
  instant: {
    title: 'Zendesk answers at once',
    delayMs: 0,
    connections: 64,
    subjects: ['this service', 'bare Fastify', 'http-proxy', 'nginx'],
  },
  slow: {
    title: 'Zendesk takes 100 ms',
    delayMs: 100,
    connections: 500,
    subjects: ['this service', 'http-proxy', 'nginx'],
  },
} as const satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof scenarios

export interface Scenario {
  title: string
  delayMs: number
  connections: number
  subjects: readonly SubjectName[]
}

/** How many callers are served, where Zendesk is slow and strict. */
export const strictZendesk = {
  title: 'Zendesk takes 100 ms and allows 200 calls a minute',
  delayMs: 100,
  limitPerMinute: 200,
  budgetPerMinute: 100,
  callersPerSecond: 200,
  subjects: ['this service', 'http-proxy', 'nginx'],
} as const

export const comparisonNames = ['instant', 'slow', 'strict', 'alone'] as const
export type ComparisonName = (typeof comparisonNames)[number]
