import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { allocation } from './allocation.js'
import { compare, type Comparison } from './compare/compare.js'
import { changes, report } from './compare/report.js'
import { burst } from './load/burst.js'
import { sustained } from './load/sustained.js'
import { startUp } from './start/start.js'

const USAGE = `npm run bench -- [command] [options]

  (none)      this service beside bare Fastify, @fastify/http-proxy, nginx and varnish, in pairs
              --rounds 30, --seconds 1 of each measurement, --only instant,slow,alone
              --json for the result on standard output, --against FILE for what changed since that result
  allocation  kB and garbage collection for each request, before and after provoking the slow state of the heap
              --times 3 processes, --seconds 5
  burst       5,000 callers within a second
  sustained   a steady load on a Zendesk that allows 200 calls a minute: --seconds 60, --rate 200 requests a second
  start       time and CPU until ready, memory when idle: --rounds 10, --beside DIST to start another build in turns`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    times: { type: 'string', default: '3' },
    rate: { type: 'string', default: '200' },
    only: { type: 'string', default: 'instant,slow,alone' },
    json: { type: 'boolean', default: false },
    against: { type: 'string' },
    beside: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const commands: Record<string, () => Promise<void>> = {
  compare: sideBySide,
  allocation: () => allocation({ times: number(values.times), seconds: number(values.seconds ?? '5') }),
  burst,
  sustained: () => sustained({ seconds: number(values.seconds ?? '60'), perSecond: number(values.rate) }),
  start: () => startUp({ rounds: number(values.rounds ?? '10'), beside: values.beside }),
}

const command = commands[positionals[0] ?? 'compare']
if (values.help || !command) {
  console.log(USAGE)
  process.exitCode = values.help ? 0 : 2
} else await command()

async function sideBySide(): Promise<void> {
  const earlier = values.against === undefined ? undefined : readFileSync(values.against, 'utf8')
  const comparison = await compare({
    rounds: number(values.rounds ?? '30'),
    seconds: number(values.seconds ?? '1'),
    only: values.only.split(','),
  })
  console.log(values.json ? JSON.stringify(comparison, undefined, 2) : report(comparison))
  if (earlier !== undefined) console.log(`\n${changes(JSON.parse(earlier) as Comparison, comparison)}`)
}

function number(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new TypeError(`"${text}" is not a number above zero`)
  return value
}
