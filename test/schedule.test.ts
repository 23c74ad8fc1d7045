import fc from 'fast-check'
import t from 'tap'
import { Budget } from '../src/zendesk/traffic/budget.js'
import { LocalSchedule } from '../src/zendesk/traffic/schedule.js'

const MINUTE = 60_000

t.test('no 60 seconds hold more calls than the budget, however they are asked for', (t) => {
  const arrivals = fc.array(
    // Gaps, in milliseconds: floods, a steady load, and silences.
    fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 70_000 })),
    { minLength: 1, maxLength: 600, size: 'max' },
  )
  const budgets = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 2500 }))
  const longestWait = fc.integer({ min: 0, max: 120_000 })
  fc.assert(
    fc.property(budgets, arrivals, longestWait, (perMinute, gaps, remainingMs) => {
      const starts = startsOf(perMinute, gaps, remainingMs)
      return starts.every((start, first) => {
        const inWindow = starts.slice(first, first + perMinute + 1).filter((at) => at < start + MINUTE)
        return inWindow.length <= perMinute
      })
    }),
  )
  t.end()
})

t.test(
  'the budget is used: a flood gets nearly all of it, and a caller who can wait always gets a slot',
  (t) => {
    for (const perMinute of [1, 2, 10, 100, 700, 2500]) {
      const starts = startsOf(perMinute, new Array<number>(perMinute * 3).fill(0), Infinity)
      t.equal(starts.length, perMinute * 3)
      const inTenMinutes = startsOf(perMinute, new Array<number>(600).fill(1000), 1000)
      t.ok(inTenMinutes.length >= Math.min(600, perMinute * 10 * 0.97) - 1, `${perMinute} a minute`)
    }
    t.end()
  },
)

t.test('slots are given in the order of asking, and the wait that is told is the true one', (t) => {
  let now = 0
  const schedule = new LocalSchedule(new Budget(10), { now: () => now })
  const ask = (remainingMs = 30_000) => schedule.take({ ...within(remainingMs), reserved: false })
  t.equal(ask().waitMs, 0)
  const [second, third] = [ask(), ask()]
  t.ok(second.reserved && third.reserved && third.waitMs > second.waitMs)
  const refused = ask(1_000)
  t.ok(!refused.reserved && refused.waitMs > 1_000)
  t.match(ask(), { reserved: true, waitMs: refused.waitMs }, 'what was refused was not taken')
  now = second.waitMs
  t.equal(schedule.take({ ...within(1_000), reserved: true }).waitMs, 0)
  t.end()
})

t.test('after a pause one call goes first as a probe, and the others wait until it has settled', (t) => {
  let now = 0
  const schedule = new LocalSchedule(new Budget(0), { now: () => now })
  const ask = () => schedule.take({ ...within(5_000), reserved: false })
  const gone = ask()
  t.equal(gone.waitMs, 0)
  schedule.pause(10_000)
  t.match(ask(), { reason: 'pause', waitMs: 10_000 })
  schedule.pause(2_000)
  t.equal(schedule.pausedForMs, 10_000, 'a shorter pause does not end a longer one')

  now = 10_000
  const probe = ask()
  t.equal(probe.waitMs, 0)
  t.match(ask(), { reason: 'pause', waitMs: 50 })
  schedule.pause(10_000)
  schedule.settled(probe.probe ?? 0, true)
  t.match(ask(), { reason: 'pause', waitMs: 10_000 }, 'it proves nothing about a newer pause')

  now = 20_000
  schedule.settled(ask().probe ?? 0, false)
  const next = ask()
  t.equal(next.waitMs, 0, 'one that brought no answer lets another probe go')
  t.equal(ask().waitMs, 50)
  now = 25_000
  const replacement = ask()
  t.equal(replacement.waitMs, 0, 'and one that is never heard of again is missed after its deadline')
  schedule.settled(replacement.probe ?? 0, true)
  t.same([ask().waitMs, ask().waitMs, ask().waitMs], [0, 0, 0])
  t.end()
})

t.test('a slot that was reserved before a pause does not count in it', (t) => {
  let now = 0
  const schedule = new LocalSchedule(new Budget(10), { now: () => now })
  schedule.take({ ...within(60_000), reserved: false })
  const { waitMs } = schedule.take({ ...within(60_000), reserved: false })
  schedule.pause(60_000)
  now = waitMs
  t.match(schedule.take({ ...within(60_000), reserved: true }), { reason: 'pause', reserved: false })
  t.end()
})

/** For callers who give all that is left to waiting. */
function within(remainingMs: number) {
  return { longestWaitMs: remainingMs, remainingMs }
}

/** When calls leave that are asked for after these gaps, by callers who wait so long at the most. */
function startsOf(perMinute: number, gaps: number[], remainingMs: number): number[] {
  let now = 0
  const schedule = new LocalSchedule(new Budget(perMinute), { now: () => now })
  return gaps.flatMap((gap) => {
    now += gap
    const slot = schedule.take({ ...within(remainingMs), reserved: false })
    return slot.waitMs === 0 || slot.reserved ? [now + slot.waitMs] : []
  })
}
