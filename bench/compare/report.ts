import { spread, spreadText, type Spread } from '../quantiles.js'
import { table } from '../verdict.js'
import { scenarios, type Beside, type Comparison, type ScenarioName } from './compare.js'
import { subjects, type SubjectName } from './subjects.js'

/** Below this share of its core, the load or the upstream was the limit, not the subject. */
const SATURATED = 0.9

/** The comparison for a terminal. */
export function report(comparison: Comparison): string {
  const parts = [
    ...scenarioNames(comparison).map((name) => scenarioText(name, comparison)),
    aloneText(comparison),
    `Not the same work:\n${Object.entries(subjects)
      .map(([name, { lacks }]) => `  ${name}: ${lacks}`)
      .join('\n')}`,
    ...(comparison.missing.length > 0 ? [`Not installed, skipped: ${comparison.missing.join(', ')}`] : []),
    `Node ${comparison.node}, ${comparison.machine}; ${comparison.rounds} rounds of ${comparison.seconds} s. * the subject's core was not saturated`,
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

/** Every quotient of two runs whose medians lie outside of each other's quartiles, before and now. */
export function changes(before: Comparison, now: Comparison): string {
  const rows = scenarioNames(now).flatMap((scenario) =>
    Object.entries(now.scenarios[scenario] ?? {}).flatMap(([name, { beside }]) => {
      const earlier = before.scenarios[scenario]?.[name as SubjectName]?.beside
      if (!beside || !earlier) return []
      return (Object.keys(beside) as (keyof Beside)[])
        .filter((figure) => differ(earlier[figure], beside[figure]))
        .map((figure) => [
          `${scenario}, ${figure} beside ${name}`,
          spreadText(earlier[figure]),
          spreadText(beside[figure]),
          `${((beside[figure].median / earlier[figure].median - 1) * 100).toFixed(0)} %`,
        ])
    }),
  )
  const alone = Object.entries(now.aloneMs).flatMap(([name, ms]) => {
    const earlier = before.aloneMs[name as SubjectName]
    const [then, today] = [spread(earlier ?? [], 'highest'), spread(ms, 'highest')]
    return earlier && differ(then, today)
      ? [[`alone, ms added by ${name}`, spreadText(then), spreadText(today), '']]
      : []
  })
  const head = `Compared with the run of ${before.at} on Node ${before.node}`
  const changed = [...rows, ...alone]
  return changed.length === 0
    ? `${head}: nothing changed by more than the spread of the rounds.`
    : `${head}:\n${table([['', 'before', 'now', 'change'], ...changed])}`
}

function differ(before: Spread, now: Spread): boolean {
  const outside = (value: number, { lower, upper }: Spread) => value < lower || value > upper
  return outside(now.median, before) && outside(before.median, now)
}

function scenarioText(name: ScenarioName, comparison: Comparison): string {
  const { title, connections } = scenarios[name]
  const all = Object.entries(comparison.scenarios[name] ?? {})
  const quotients = all.flatMap(([subject, { beside }]) =>
    beside
      ? [
          [
            subject,
            ...[beside.requestsPerSecond, beside.cpuMicroseconds, beside.p50Ms, beside.p99Ms].map((each) =>
              spreadText(each),
            ),
          ],
        ]
      : [],
  )
  const absolute = all.map(([subject, { absolute: a }]) => [
    subject,
    `${a.requestsPerSecond.toFixed(0)}${a.busy < SATURATED ? '*' : ' '}`,
    a.cpuMicroseconds.toFixed(0),
    a.p50Ms.toFixed(2),
    a.p99Ms.toFixed(2),
    a.residentMb.toFixed(0),
    a.callsPerThousand.toFixed(a.callsPerThousand < 10 ? 1 : 0),
    String(a.failures),
  ])
  const heads = ['requests/s', 'CPU/request', 'p50', 'p99']
  return `${title}; ${connections} connections. This service divided by the other: median (quartiles, worst)
${table([['', ...heads], ...quotients])}

Medians on this machine
${table([['', 'requests/s', 'CPU µs', 'p50 ms', 'p99 ms', 'MB', 'calls per 1,000', 'failed'], ...absolute])}`
}

function aloneText({ aloneMs }: Comparison): string {
  const own = aloneMs['this service']
  if (!own) return ''
  const rows = Object.entries(aloneMs).map(([name, ms]) => [
    name,
    spreadText(spread(ms, 'highest'), 3),
    name === 'this service'
      ? ''
      : `${own.filter((each, round) => each < (ms[round] ?? 0)).length} of ${own.length}`,
  ])
  const head = ['', 'ms added', 'rounds in which this service adds less']
  return `One caller at a time: what each adds to the upstream's own time\n${table([head, ...rows])}`
}

function scenarioNames({ scenarios: measured }: Comparison): ScenarioName[] {
  return Object.keys(measured) as ScenarioName[]
}
