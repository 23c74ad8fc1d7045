import { setTimeout as sleep } from 'node:timers/promises'
import type { SandboxOptions } from '../zendesk.js'
import type { Answer, Stage } from './stage.js'

export interface Scene {
  title: string
  options?: SandboxOptions
  /** Gives one line of numbers, and whether they are as the service promises. */
  play: (
    stage: Stage,
    countDown: (seconds: number) => Promise<void>,
  ) => Promise<[told: string, held: boolean]>
}

export const scenes: Scene[] = [
  {
    title: '500 callers at once',
    play: async (stage) => {
      const answers = await stage.callersAtOnce(500)
      const calls = stage.zendesk.renewals().length
      return [
        `${tokens(answers)} tokens with ${plural(calls, 'call')} to Zendesk, the slowest after ${slowest(answers)} ms`,
        tokens(answers) === 500 && calls <= 20,
      ]
    },
  },
  {
    title: 'Zendesk rate-limits us: 429, retry-after 6',
    play: async (stage, countDown) => {
      const headers = { 'retry-after': '6' }
      stage.zendesk.misbehave({ kind: 'status', status: 429, headers, target: 'renew', times: 1 })
      const refused = await stage.callersAtOnce(50)
      const { retryAfter = 0 } = refused[0] ?? {}
      await countDown(retryAfter)
      const before = stage.zendesk.renewals().length
      const answers = await stage.callersAtOnce(50)
      const probes = stage.zendesk.renewals().length - before
      return [
        `50 callers told to wait ${retryAfter} s after ${plural(before, 'call')}; then ${plural(probes, 'probe')}, ${tokens(answers)} tokens`,
        before === 1 &&
          refused.every(({ code }) => code === 'zendesk-rate-limited') &&
          probes === 1 &&
          tokens(answers) === 50,
      ]
    },
  },
  {
    title: 'five 503 in a row',
    play: async (stage, countDown) => {
      stage.zendesk.misbehave({ kind: 'status', status: 503, target: 'renew', times: 5 })
      await stage.renew()
      await stage.renew()
      const before = stage.zendesk.renewals().length
      const refused = await stage.callersAtOnce(100)
      const spared = stage.zendesk.renewals().length === before
      const { retryAfter = 0 } = refused[0] ?? {}
      await countDown(retryAfter)
      const after = await stage.renew()
      return [
        `circuit breaker opened after ${plural(before, 'failure')}; 100 callers got 503 within ${slowest(refused)} ms, without a call; closed ${retryAfter} s later`,
        before === 5 && spared && refused.every(({ status }) => status === 503) && after.status === 200,
      ]
    },
  },
  {
    title: 'the client secret is rotated under load',
    play: async (stage) => {
      const load = stage.load(20, 4)
      await sleep(1500)
      await stage.rotateSecret()
      const answers = await load
      const failures = answers.length - tokens(answers)
      const fetched = stage.zendesk.tokenRequests().length
      return [
        `${answers.length} renewals by 20 callers, ${plural(failures, 'failure')}; ${plural(fetched, 'token request')}`,
        failures === 0 && fetched >= 2,
      ]
    },
  },
  {
    title: 'another integration uses up the account: 60 calls a minute, of which it takes 35',
    options: { limitPerMinute: 60 },
    play: async (stage) => {
      const alone = await stage.load(10, 4)
      const before = stage.zendesk.renewals().length
      const others = await Promise.all(Array.from({ length: 35 }, () => stage.anotherIntegration()))
      const shared = await stage.load(10, 8)
      const calls = stage.zendesk.renewals().length - before
      const refused = [...alone, ...shared].length - tokens([...alone, ...shared])
      const othersRefused = others.filter((status) => status !== 200).length
      return [
        `alone ${plural(before, 'call')} in 4 s; then ${calls} in 8 s, with ${tokens(shared)} tokens, the slowest after ${slowest(shared)} ms; 429: ${refused} ours, ${othersRefused} theirs`,
        // At the pace before it would be twelve.
        calls <= 8 && refused === 0 && othersRefused === 0,
      ]
    },
  },
]

function tokens(answers: Answer[]): number {
  return answers.filter(({ status }) => status === 200).length
}

function slowest(answers: Answer[]): number {
  return Math.round(Math.max(...answers.map(({ ms }) => ms)))
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
