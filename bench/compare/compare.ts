import { measure, provoke, type Load, type Measurement } from './measure.js'
import { OWN, startSubject, startUpstream, subjects, type Subject, type SubjectName } from './subjects.js'

/** Until the code of each is compiled. */
const WARM_UP_S = 4

type Scenario = { title: string; load: Omit<Load, 'seconds'>; besides: SubjectName[] }

/** As many requests as the connections can carry, and who is measured beside this service. */
export const scenarios: Record<string, Scenario> = {
  instant: {
    title: 'Zendesk answers at once, 64 connections',
    load: { delayMs: 0, connections: 64 },
    besides: ['bare Fastify', 'http-proxy', 'nginx', 'nginx cache', 'varnish'],
  },
  slow: {
    title: 'Zendesk takes 100 ms, 500 connections',
    load: { delayMs: 100, connections: 500 },
    besides: ['http-proxy', 'nginx', 'nginx cache', 'varnish'],
  },
  alone: {
    title: 'Zendesk answers at once, one caller at a time',
    load: { delayMs: 0, connections: 1 },
    besides: ['Zendesk itself', 'http-proxy', 'nginx'],
  },
}

/** Neighbouring measurements of one round. */
export type Pair = Record<'ours' | 'theirs', Measurement>

export interface Comparison {
  rounds: number
  seconds: number
  /** All pairs, by scenario and subject. */
  measured: Record<string, Record<string, Pair[]>>
}

type Options = Pick<Comparison, 'rounds' | 'seconds'> & { only: readonly string[] }

/** All subjects are alive at once; this service is measured next to each of the others, in turns, in every round. */
export async function compare({ rounds, seconds, only }: Options): Promise<Comparison> {
  const upstream = await startUpstream()
  const names = (Object.keys(subjects) as SubjectName[]).filter((name) => name !== upstream.name)
  const started = await Promise.all(names.map((name) => startSubject(name, upstream.origin)))
  const [own, ...others] = [...started.filter((subject) => subject !== undefined), upstream]
  if (own.name !== OWN) throw new Error('this service is missing')

  console.error('provoking the slow state of the heap')
  for (const subject of [own, ...others.filter(({ name }) => name === 'http-proxy')])
    await provoke(upstream, subject)
  const comparison: Comparison = { rounds, seconds, measured: {} }
  for (const [scenario, { title, load, besides }] of Object.entries(scenarios)) {
    if (!only.includes(scenario)) continue
    const run = (subject: Subject, forSeconds: number) =>
      measure(upstream, subject, { ...load, seconds: forSeconds })
    const beside = others.filter(({ name }) => besides.includes(name))
    for (const subject of [own, ...beside]) await run(subject, WARM_UP_S)
    const pairs = Object.fromEntries(beside.map(({ name }) => [name, [] as Pair[]]))
    for (let round = 1; round <= rounds; round++) {
      console.error(`round ${round} of ${rounds}: ${title}`)
      for (const other of beside) {
        // The order within a pair changes every round, so that neither is always second.
        const before = round % 2 === 0 ? await run(other, seconds) : undefined
        const ours = await run(own, seconds)
        pairs[other.name]?.push({ ours, theirs: before ?? (await run(other, seconds)) })
      }
    }
    comparison.measured[scenario] = pairs
  }
  await Promise.all([own, ...others].map((each) => each.stop()))
  return comparison
}
