import { cpus } from 'node:os'
import { cores } from '../cores.js'
import { quantile, spread, type Spread } from '../quantiles.js'
import { Upstream } from '../upstream.js'
import { endProgress, progress } from '../verdict.js'
import { measureAlone } from './alone.js'
import { measure, startLoadGenerator, type Measurement } from './measure.js'
import { provokeSlowState } from './slow-state.js'
import { startSubject, subjects, type Subject, type SubjectName } from './subjects.js'

const OWN = 'this service'
const WARM_UP_S = 2
/** Longer than the provocation takes: it works only on a server under load. */
const PROVOKED_S = 7
/** Those that call Zendesk for each request that comes alone. */
const ALONE = new Set<SubjectName>([OWN, 'http-proxy', 'nginx'])

/** Under as many requests as the connections can carry. */
export const scenarios = {
  instant: { title: 'Zendesk answers at once', delayMs: 0, connections: 64 },
  slow: { title: 'Zendesk takes 100 ms', delayMs: 100, connections: 500 },
} as const
export type ScenarioName = keyof typeof scenarios

/** This service beside one other: quotients (ours / theirs) within each pair of neighbouring measurements. */
export interface Beside {
  requestsPerSecond: Spread
  cpuMicroseconds: Spread
  p50Ms: Spread
  p99Ms: Spread
}

/** Absolute medians of one subject, which mean this machine in this hour and nothing else. */
export type Absolute = Record<keyof Measurement, number>

export type Results = Partial<Record<SubjectName, { beside?: Beside; absolute: Absolute }>>

export interface Comparison {
  at: string
  node: string
  machine: string
  rounds: number
  seconds: number
  missing: SubjectName[]
  scenarios: Partial<Record<ScenarioName, Results>>
  /** Milliseconds added for one caller at a time, one value a round. */
  aloneMs: Partial<Record<SubjectName, number[]>>
}

export interface CompareOptions {
  seconds: number
  rounds: number
  only: readonly string[]
}

/** All subjects are alive at once; this service is measured next to each of the others, in turns, in every round. */
export async function compare({ seconds, rounds, only }: CompareOptions): Promise<Comparison> {
  const upstream = await Upstream.start()
  const generator = await startLoadGenerator()
  const names = Object.keys(subjects) as SubjectName[]
  const started = await Promise.all(names.map((name) => startSubject(name, upstream.origin)))
  const alive = started.filter((subject) => subject !== undefined)
  const comparison: Comparison = {
    at: new Date().toISOString(),
    node: process.version,
    machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cores ? 'cores kept apart' : 'cores shared'}`,
    rounds,
    seconds,
    missing: names.filter((_, index) => !started[index]),
    scenarios: {},
    aloneMs: {},
  }

  const run = (subject: Subject, scenario: ScenarioName, forSeconds = seconds) =>
    measure({ generator, upstream }, subject, { ...scenarios[scenario], seconds: forSeconds })
  progress('warm-up')
  for (const subject of alive) await run(subject, 'instant', WARM_UP_S)
  progress('provoking the slow state of the heap')
  for (const subject of alive.filter(({ name }) => name === OWN || name === 'http-proxy'))
    await Promise.all([run(subject, 'slow', PROVOKED_S), provokeSlowState(subject)])
  for (const name of Object.keys(scenarios) as ScenarioName[]) {
    if (only.includes(name)) comparison.scenarios[name] = await inPairs(alive, name, rounds, run)
  }
  if (only.includes('alone')) {
    progress('one caller at a time')
    const proxies = alive.filter(({ name }) => ALONE.has(name))
    comparison.aloneMs = await measureAlone(upstream, proxies, rounds)
  }
  await Promise.all([...alive, generator, upstream].map((each) => each.stop()))
  endProgress()
  return comparison
}

/** The order within a pair changes every round, so that neither is always second. */
async function inPairs(
  alive: readonly Subject[],
  scenario: ScenarioName,
  rounds: number,
  run: (subject: Subject, scenario: ScenarioName) => Promise<Measurement>,
): Promise<Results> {
  const own = alive.find(({ name }) => name === OWN)
  if (!own) throw new Error('this service is missing')
  const others = alive.filter(
    (each) => each !== own && (scenario === 'instant' || each.name !== 'bare Fastify'),
  )
  const pairs = new Map(others.map(({ name }) => [name, [] as { ours: Measurement; theirs: Measurement }[]]))
  for (let round = 1; round <= rounds; round++) {
    progress(`round ${round} of ${rounds}: ${scenarios[scenario].title}`)
    for (const other of others) {
      const before = round % 2 === 0 ? await run(other, scenario) : undefined
      const ours = await run(own, scenario)
      pairs.get(other.name)?.push({ ours, theirs: before ?? (await run(other, scenario)) })
    }
  }
  const ours = [...pairs.values()].flatMap((all) => all.map((pair) => pair.ours))
  const results: Results = { [OWN]: { absolute: medians(ours) } }
  for (const [name, all] of pairs)
    results[name] = { beside: beside(all), absolute: medians(all.map(({ theirs }) => theirs)) }
  return results
}

function beside(pairs: readonly { ours: Measurement; theirs: Measurement }[]): Beside {
  const quotients = (figure: keyof Beside, worst: 'lowest' | 'highest') =>
    spread(
      pairs.map(({ ours, theirs }) => ours[figure] / theirs[figure]),
      worst,
    )
  return {
    requestsPerSecond: quotients('requestsPerSecond', 'lowest'),
    cpuMicroseconds: quotients('cpuMicroseconds', 'highest'),
    p50Ms: quotients('p50Ms', 'highest'),
    p99Ms: quotients('p99Ms', 'highest'),
  }
}

/** Medians; of failures the sum. */
function medians(measurements: readonly Measurement[]): Absolute {
  const [first] = measurements
  if (!first) throw new RangeError('nothing was measured')
  const figures = Object.keys(first) as (keyof Measurement)[]
  const middle = (figure: keyof Measurement) =>
    quantile(
      measurements.map((each) => each[figure]),
      0.5,
    )
  const failures = measurements.reduce((sum, each) => sum + each.failures, 0)
  return { ...first, ...Object.fromEntries(figures.map((figure) => [figure, middle(figure)])), failures }
}
