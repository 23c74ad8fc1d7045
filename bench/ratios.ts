import type { Measurement } from './measure.js'
import { median } from './median.js'
import type { SubjectName } from './subjects.js'

/** One subject beside this service: quotients (subject / this service), except where a share or a count says more. */
export interface Ratios {
  subject: SubjectName
  answersPerSecond: number
  p50: number
  p99: number
  cpuPerAnswer: number
  memory: number
  callsPerThousand: number
  busy: number
  failures: number
}

/** Medians over the rounds of the quotients within each round, so that a machine that changes its pace cancels out. */
export function ratios(measured: Map<SubjectName, Measurement[]>): Ratios[] {
  const own = measured.get('this service') ?? []
  return [...measured]
    .sort(([a], [b]) => Number(b === 'this service') - Number(a === 'this service'))
    .map(([subject, rounds]) => {
      const middle = (of: (one: Measurement, ours: Measurement) => number) =>
        median(rounds.flatMap((one, round) => (own[round] ? [of(one, own[round])] : [])))
      return {
        subject,
        answersPerSecond: middle((one, ours) => one.answersPerSecond / ours.answersPerSecond),
        p50: middle((one, ours) => one.p50Ms / ours.p50Ms),
        p99: middle((one, ours) => one.p99Ms / ours.p99Ms),
        cpuPerAnswer: middle((one, ours) => one.cpuMsPerAnswer / ours.cpuMsPerAnswer),
        memory: middle((one, ours) => one.residentBytes / ours.residentBytes),
        callsPerThousand: middle((one) => one.callsPerThousand),
        busy: middle((one) => one.busy),
        failures: rounds.reduce((sum, { failures }) => sum + failures, 0),
      }
    })
}
