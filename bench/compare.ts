import { measureAlone, type AddedTime } from './alone.js'
import { measure, startCannon, type Measurement } from './measure.js'
import { stop, type Running } from './processes.js'
import { endProgress, Steps } from './progress.js'
import {
  scenarios,
  strictZendesk,
  type ComparisonName,
  type Scenario,
  type ScenarioName,
} from './scenarios.js'
import { measureStrict, type StrictResult } from './strict.js'
import { startSubject, type Subject, type SubjectName } from './subjects.js'
import { Upstream, UPSTREAM_TOKEN } from './upstream.js'

export interface CompareOptions {
  seconds: number
  rounds: number
  only: readonly ComparisonName[]
}

const WARM_UP_S = 2
const ALONE = ['this service', 'http-proxy', 'nginx'] as const

/** Everything measured, in the order of the rounds, so that values of one round are neighbours in time. */
export interface Comparison {
  speed: Partial<Record<ScenarioName, Map<SubjectName, Measurement[]>>>
  strict: StrictResult[]
  strictSeconds: number
  alone: AddedTime[]
  missing: SubjectName[]
}

/** All subjects side by side in one run: in each scenario, each round asks each of them. */
export async function compare({ seconds, rounds, only }: CompareOptions): Promise<Comparison> {
  const upstream = await Upstream.start()
  const parts = { cannon: await startCannon(), upstream }
  const speedScenarios = (['instant', 'slow'] as const).filter((name) => only.includes(name))
  const strictSubjects = only.includes('strict') ? strictZendesk.subjects : []
  const turns = speedScenarios.reduce((sum, name) => sum + scenarios[name].subjects.length * (rounds + 1), 0)
  const steps = new Steps(turns + strictSubjects.length + (only.includes('alone') ? 1 : 0))
  const comparison: Comparison = { speed: {}, strict: [], strictSeconds: seconds * 2, alone: [], missing: [] }

  const asked = { parts, seconds, rounds, steps, missing: comparison.missing }
  for (const name of speedScenarios) comparison.speed[name] = await measureSpeed(scenarios[name], asked)
  if (only.includes('alone')) {
    steps.next('one caller at a time')
    const subjects = await startSubjects(ALONE, upstream, comparison.missing)
    comparison.alone = await measureAlone(upstream, subjects)
    await Promise.all(subjects.map((subject) => stop(subject)))
  }
  for (const name of strictSubjects) {
    steps.next(`${strictZendesk.title}, ${name}`)
    const result = await measureStrict(name, upstream, comparison.strictSeconds)
    if (result) comparison.strict.push(result)
    else if (!comparison.missing.includes(name)) comparison.missing.push(name)
  }
  endProgress()
  return comparison
}

interface Asked {
  parts: { cannon: Running; upstream: Upstream }
  seconds: number
  rounds: number
  steps: Steps
  missing: SubjectName[]
}

async function measureSpeed(
  scenario: Scenario,
  { parts, seconds, rounds, steps, missing }: Asked,
): Promise<Map<SubjectName, Measurement[]>> {
  const measured = new Map<SubjectName, Measurement[]>()
  const subjects = await startSubjects(scenario.subjects, parts.upstream, missing)
  for (let round = 0; round <= rounds; round++) {
    for (const subject of rotated(subjects, round)) {
      steps.next(`${round === 0 ? 'warm-up' : `round ${round}`}: ${scenario.title}, ${subject.name}`)
      const result = await measure(parts, subject, scenario, round === 0 ? WARM_UP_S : seconds)
      if (round > 0) measured.set(subject.name, [...(measured.get(subject.name) ?? []), result])
    }
  }
  await Promise.all(subjects.map((subject) => stop(subject)))
  return measured
}

/**
 * New ones for each scenario: what requests that wait leave behind in the heap slows down those that come after them, and
 * would be measured in the scenario that comes second.
 */
async function startSubjects(
  names: readonly SubjectName[],
  upstream: Upstream,
  missing: SubjectName[],
): Promise<Subject[]> {
  const options = { upstream: upstream.origin, token: UPSTREAM_TOKEN, budgetPerMinute: 0 }
  const started = await Promise.all(names.map((name) => startSubject(name, options)))
  missing.push(...names.filter((name, index) => !started[index] && !missing.includes(name)))
  return started.filter((subject) => subject !== undefined)
}

/** So that nobody is always the first, or always behind the same neighbour's heat. */
function rotated<T>(items: readonly T[], by: number): T[] {
  const from = items.length === 0 ? 0 : by % items.length
  return [...items.slice(from), ...items.slice(0, from)]
}
