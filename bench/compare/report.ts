import { quantile, spread, spreadText, type Spread } from '../spread.js'
import { machine, type Check } from '../verdict.js'
import { scenarios, type Comparison, type Pair } from './compare.js'
import type { Measurement } from './measure.js'
import { OWN, subjects } from './subjects.js'

const figures = ['requestsPerSecond', 'cpuMicroseconds', 'p50Ms', 'p99Ms'] as const

/** Tables for a terminal. */
export function report({ measured, rounds, seconds }: Comparison): void {
  for (const [scenario, all] of Object.entries(measured)) {
    const divided = (pairs: Pair[]) => figures.map((figure) => [figure, spreadText(quotient(pairs, figure))])
    const ours = Object.values(all).flatMap((pairs) => pairs.map((pair) => pair.ours))
    console.log(`\n${scenarios[scenario]?.title ?? ''}. Ours divided by theirs: median (quartiles, worst)`)
    console.table(mapped(all, (pairs) => Object.fromEntries(divided(pairs)) as object))
    console.log('Medians on this machine. Where busy is well below 1, the load or the upstream was the limit')
    const theirs = mapped(all, (pairs) => medians(pairs.map((pair) => pair.theirs)))
    console.table({ [OWN]: medians(ours), ...theirs })
  }
  console.log('\nNot the same work:')
  for (const [name, { lacks }] of Object.entries(subjects)) console.log(`  ${name}: ${lacks}`)
  console.log(`${machine()}; ${rounds} rounds of ${seconds} s for each\n`)
}

/** What is promised about speed, of what was measured. */
export function comparisonChecks({ measured: { instant, alone } }: Comparison): Check[] {
  const checks: Check[] = []
  const bare = instant?.['bare Fastify']
  if (bare) {
    const [throughput, p99] = [quotient(bare, 'requestsPerSecond'), quotient(bare, 'p99Ms')]
    checks.push({
      expected:
        'everything on: of the requests per second of a bare Fastify at least 0.55, lower quartile 0.48, with at most 3 times its p99',
      found: `${spreadText(throughput)}; p99 ${spreadText(p99)}`,
      passed: throughput.median >= 0.55 && throughput.lower >= 0.48 && p99.median <= 3,
    })
  }
  if (alone) {
    const more = (pairs: Pair[] = []) => pairs.map(({ ours, theirs }) => ours.p50Ms - theirs.p50Ms)
    const [direct, proxy] = [more(alone['Zendesk itself']), more(alone['http-proxy'])]
    const less = proxy.filter((ms) => ms < 0).length
    checks.push({
      expected: 'a caller alone waits less than with @fastify/http-proxy in eight of ten rounds',
      found: `in ${less} of ${proxy.length}; ${spreadText(spread(direct))} ms more than at Zendesk itself`,
      passed: less >= 0.8 * proxy.length,
    })
  }
  return checks
}

/** Every quotient of two runs whose medians lie outside of each other's quartiles, before and now. */
export function changes(since: string, before: Comparison, now: Comparison): void {
  console.error(`Changed by more than the spread of the rounds since ${since}:`)
  for (const [scenario, all] of Object.entries(now.measured))
    for (const [name, pairs] of Object.entries(all))
      for (const figure of figures) {
        const then = quotient(before.measured[scenario]?.[name] ?? [], figure)
        const today = quotient(pairs, figure)
        const outside = (value: number, { lower, upper }: Spread) => value < lower || value > upper
        if (outside(today.median, then) && outside(then.median, today))
          console.error(`  ${scenario}, ${figure} beside ${name}: ${spreadText(then)} → ${spreadText(today)}`)
      }
}

function quotient(pairs: readonly Pair[], figure: keyof Measurement): Spread {
  const quotients = pairs.map(({ ours, theirs }) => ours[figure] / theirs[figure])
  return spread(quotients, figure === 'requestsPerSecond' ? 'min' : 'max')
}

function medians(all: readonly Measurement[]): Record<string, number> {
  const figures = Object.keys(all[0] ?? {}) as (keyof Measurement)[]
  const median = (values: number[]) => Number(quantile(values, 0.5).toPrecision(3))
  return Object.fromEntries(figures.map((figure) => [figure, median(all.map((each) => each[figure]))]))
}

function mapped<Value, Mapped>(record: Record<string, Value>, map: (value: Value) => Mapped) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}
