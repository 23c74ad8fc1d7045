import { measureAlone, type AddedTime } from './alone.js'
import { measure, startCannon, type Measurement } from './measure.js'
import { endProgress, Steps } from './progress.js'
import { scenarios, strictZendesk, type ComparisonName, type ScenarioName } from './scenarios.js'
import { measureStrict, type StrictResult } from './strict.js'
import { startSubject, subjectNames, type Subject, type SubjectName } from './subjects.js'
import { Upstream, UPSTREAM_TOKEN } from './upstream.js'

export interface CompareOptions {
  seconds: number
  rounds: number
  only: readonly ComparisonName[]
}

/** Everything measured, in the order of the rounds, so that values of one round are neighbours in time. */
export interface Comparison {
  speed: Partial<Record<ScenarioName, Map<SubjectName, Measurement[]>>>
  strict: StrictResult[]
  strictSeconds: number
  alone: AddedTime[]
  missing: SubjectName[]
}

/** All subjects side by side in one run: each round asks each of them in each scenario. */
export async function compare({ seconds, rounds, only }: CompareOptions): Promise<Comparison> {
  const upstream = await Upstream.start()
  const options = { upstream: upstream.origin, token: UPSTREAM_TOKEN, budgetPerMinute: 0 }
  const started = await Promise.all(subjectNames.map((name) => startSubject(name, options)))
  const subjects = started.filter((subject) => subject !== undefined)
  const missing = subjectNames.filter((_, index) => started[index] === undefined)

  const wanted = (['instant', 'slow'] as const).filter((name) => only.includes(name))
  const turns = wanted.flatMap((scenario) =>
    subjects.filter(({ name }) => takesPart(scenario, name)).map((subject) => ({ scenario, subject })),
  )
  const strictSubjects = strictZendesk.subjects.filter(
    (name) => only.includes('strict') && !missing.includes(name),
  )
  const steps = new Steps(
    turns.length * (rounds + 1) + strictSubjects.length + (only.includes('alone') ? 1 : 0),
  )
  const comparison: Comparison = { speed: {}, strict: [], strictSeconds: seconds * 2, alone: [], missing }

  const parts = { cannon: await startCannon(), upstream }
  for (let round = 0; round <= rounds; round++) {
    for (const { scenario, subject } of rotated(turns, round)) {
      steps.next(
        `${round === 0 ? 'warm-up' : `round ${round}`}: ${scenarios[scenario].title}, ${subject.name}`,
      )
      const result = await measure(parts, subject, scenarios[scenario], round === 0 ? 2 : seconds)
      if (round > 0) keep(comparison, scenario, subject, result)
    }
  }
  // After all that, so that the code of each is as compiled as it is after a minute of service.
  if (only.includes('alone')) {
    steps.next('one caller at a time')
    comparison.alone = await measureAlone(
      upstream,
      subjects.filter(({ name }) => name !== 'bare Fastify'),
    )
  }
  for (const name of strictSubjects) {
    steps.next(`${strictZendesk.title}, ${name}`)
    const result = await measureStrict(name, upstream, comparison.strictSeconds)
    if (result) comparison.strict.push(result)
  }
  endProgress()
  return comparison
}

function takesPart(scenario: ScenarioName, name: SubjectName): boolean {
  return (scenarios[scenario].subjects as readonly SubjectName[]).includes(name)
}

/** So that nobody is always the first, or always behind the same neighbour's heat. */
function rotated<T>(items: readonly T[], by: number): T[] {
  const from = items.length === 0 ? 0 : by % items.length
  return [...items.slice(from), ...items.slice(0, from)]
}

function keep({ speed }: Comparison, scenario: ScenarioName, { name }: Subject, result: Measurement): void {
  const measured = (speed[scenario] ??= new Map<SubjectName, Measurement[]>())
  measured.set(name, [...(measured.get(name) ?? []), result])
}
