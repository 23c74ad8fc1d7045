import { cpus } from 'node:os'
import type { Comparison } from './compare.js'
import { median } from './median.js'
import { ratios, type Ratios } from './ratios.js'
import { scenarios, strictZendesk, type ScenarioName } from './scenarios.js'
import type { StrictResult } from './strict.js'
import { table } from './table.js'

/** Below this share of its core, the load or the upstream was the limit, not the subject. */
const SATURATED = 0.9

/** The comparison for a terminal: quotients, and at the end what they were made of on this machine. */
export function comparisonText(comparison: Comparison): string {
  const speed = (Object.keys(comparison.speed) as ScenarioName[]).map((name) => speedText(name, comparison))
  const parts = [...speed, strictText(comparison), aloneText(comparison), footnote(comparison)]
  return parts.filter((part) => part !== '').join('\n\n')
}

function speedText(name: ScenarioName, { speed }: Comparison): string {
  const { title, connections } = scenarios[name]
  const head = [
    '',
    'requests/s',
    'p50',
    'p99',
    'CPU/request',
    'memory',
    'calls per 1,000',
    'core busy',
    'failed',
  ]
  const rows = ratios(speed[name] ?? new Map<never, never>()).map(speedRow)
  return `${title}; ${connections} connections, this service = 1.00\n${table([head, ...rows])}`
}

function speedRow(row: Ratios): string[] {
  const quotients = [row.p50, row.p99, row.cpuPerAnswer, row.memory].map((each) => each.toFixed(2))
  const calls = row.callsPerThousand.toFixed(row.callsPerThousand < 10 ? 1 : 0)
  const speed = row.answersPerSecond.toFixed(2) + (row.busy < SATURATED ? '*' : ' ')
  return [row.subject, speed, ...quotients, calls, `${Math.round(row.busy * 100)} %`, String(row.failures)]
}

function strictText({ strict, strictSeconds }: Comparison): string {
  if (strict.length === 0) return ''
  const head = ['', 'callers', 'got a token', 'got 429', 'calls', 'refused calls', 'callers served per call']
  const rows = strict.map((result) => [
    result.subject,
    String(result.callers),
    `${(tokenShare(result) * 100).toFixed(1)} %`,
    String(result.rateLimited),
    String(result.calls),
    String(result.refusedCalls),
    (result.tokens / result.calls).toFixed(1),
  ])
  const { title, callersPerSecond } = strictZendesk
  return `${title}; the first ${strictSeconds} s with ${callersPerSecond} callers a second\n${table([head, ...rows])}`
}

export function tokenShare({ tokens, callers }: StrictResult): number {
  return tokens / callers
}

function aloneText({ alone }: Comparison): string {
  const ours = alone.find(({ subject }) => subject === 'this service')
  if (!ours) return ''
  const rows = alone.map(({ subject, addedMs }) => [subject, (addedMs / ours.addedMs).toFixed(2)])
  return `One caller at a time: time added to the upstream's own, this service = 1.00\n${table([['', 'added'], ...rows])}`
}

/** Absolute values mean this machine in this hour; nothing else. */
function footnote({ speed, alone, missing }: Comparison): string {
  const own = Object.entries(speed).flatMap(([name, measured]) => {
    const rounds = measured.get('this service') ?? []
    const middle = (of: (one: (typeof rounds)[number]) => number) => median(rounds.map(of))
    const { title } = scenarios[name as ScenarioName]
    return [
      `  ${title}: ${middle((one) => one.answersPerSecond).toFixed(0)} requests/s, ` +
        `p50 ${middle((one) => one.p50Ms).toFixed(1)} ms, p99 ${middle((one) => one.p99Ms).toFixed(1)} ms, ` +
        `${middle((one) => one.cpuMsPerAnswer * 1000).toFixed(0)} µs CPU a request, ` +
        `${middle((one) => one.residentBytes / 1e6).toFixed(0)} MB`,
    ]
  })
  const added = alone.map(({ subject, addedMs }) => `${subject} ${addedMs.toFixed(2)} ms`).join(', ')
  return [
    `This service on this machine (${cpus()[0]?.model ?? 'unknown processor'}, Node.js ${process.version}):`,
    ...own,
    ...(added === '' ? [] : [`  One caller at a time adds: ${added}`]),
    '* Its core was not busy: the load or the upstream was the limit.',
    ...missing.map((name) => `${name} is not installed here and was left out.`),
  ].join('\n')
}
