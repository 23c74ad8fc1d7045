import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { burst } from './burst.js'
import { chart } from './chart.js'
import { compare } from './compare.js'
import { comparisonText } from './comparison-text.js'
import { cores, leaveMeasuredCore } from './cores.js'
import { resultPath } from './paths.js'
import { stopAll } from './processes.js'
import { comparisonNames } from './scenarios.js'
import { startUp } from './start-up.js'
import { sustained } from './sustained.js'

const USAGE = `npm run bench -- [command] [options]

  (none)      this service beside bare Fastify, @fastify/http-proxy and nginx
              --seconds 4 of each measurement, --rounds 5, --only ${comparisonNames.join(',')}
  burst       5,000 callers within a second
  sustained   a steady load on a Zendesk that allows 200 calls a minute
              --seconds 60, --rate 200 callers a second
  start       time from start to ready, and memory at rest`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '200' },
    only: { type: 'string', default: comparisonNames.join(',') },
    help: { type: 'boolean', default: false },
  },
})

const commands = {
  compare: sideBySide,
  burst,
  sustained: () =>
    sustained({ seconds: count(values.seconds ?? '60'), callersPerSecond: count(values.rate) }),
  start: startUp,
}

const [command = 'compare'] = positionals
if (values.help || !isCommand(command)) {
  console.log(USAGE)
  process.exit(values.help ? 0 : 2)
}
if (!cores())
  console.error('Two cores and taskset are needed to keep load and subject apart; figures will be rough.')
leaveMeasuredCore()
await commands[command]()
await stopAll()

async function sideBySide(): Promise<void> {
  const comparison = await compare({
    seconds: count(values.seconds ?? '4'),
    rounds: count(values.rounds),
    only: comparisonNames.filter((name) => values.only.split(',').includes(name)),
  })
  console.log(comparisonText(comparison))
  writeFileSync(resultPath('bench.svg'), chart(comparison))
  console.log(`\nChart: bench/results/bench.svg`)
}

function isCommand(name: string): name is keyof typeof commands {
  return Object.hasOwn(commands, name)
}

function count(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new TypeError(`"${text}" is no number above zero`)
  return value
}
