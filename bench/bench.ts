import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { allocation } from './compare/allocation.js'
import { compare, type Comparison } from './compare/compare.js'
import { changes, comparisonChecks, report } from './compare/report.js'
import { endurance } from './endurance/endurance.js'
import { burst } from './load/burst.js'
import { sustained } from './load/sustained.js'
import { RESULTS } from './service.js'
import { startUp } from './start.js'
import { machine, pronounce, type Check } from './verdict.js'

const text = { type: 'string' } as const
const numbers = { rounds: text, seconds: text, rate: text, replicas: text, minutes: text, seed: text }
const more = { only: text, against: text, beside: text, json: { type: 'boolean' } } as const
const { values, positionals } = parseArgs({ allowPositionals: true, options: { ...numbers, ...more } })

const commands: Record<string, () => Promise<Check[]>> = {
  compare: sideBySide,
  burst,
  sustained: () => sustained({ seconds: number('seconds', 60), perSecond: number('rate', 200) }),
  start: () => startUp(number('rounds', 10), values.beside),
  allocation: () => allocation(number('rounds', 3), number('seconds', 5)),
  endurance: () => {
    const [replicas, minutes, rate] = [number('replicas', 1), number('minutes', 5), number('rate', 50)]
    return endurance({ replicas, minutes, rate, seed: number('seed', 1 + (Date.now() % 1_000_000)) })
  },
  readme,
}

let comparison: Comparison | undefined
const [name = 'compare'] = positionals
const command = commands[name]
if (!command)
  throw new TypeError(`"${name}" is not one of ${Object.keys(commands).join(', ')}; see bench/README.md`)
const checks = await command()
if (checks.some(({ passed }) => !passed)) process.exitCode = 1
if (values.json) console.log(json(checks))
else pronounce(name, checks)

async function sideBySide(): Promise<Check[]> {
  const earlier = values.against && (JSON.parse(readFileSync(values.against, 'utf8')) as Result)
  const only = (values.only ?? 'instant,slow,alone').split(',')
  comparison = await compare({ rounds: number('rounds', 30), seconds: number('seconds', 1), only })
  if (!values.json) report(comparison)
  if (earlier && earlier.comparison)
    changes(`${earlier.at}, ${earlier.machine}`, earlier.comparison, comparison)
  return comparisonChecks(comparison)
}

/** Everything but endurance: keeps the result and prints it as README's table. */
async function readme(): Promise<Check[]> {
  const rows = [`${machine()}:`, '', '| command | expected | measured |', '|---|---|---|']
  const all: Check[] = []
  for (const each of ['compare', 'burst', 'sustained', 'start', 'allocation']) {
    const found = (await commands[each]?.()) ?? []
    const typed = `npm run bench${each === 'compare' ? '' : ` -- ${each}`}`
    rows.push(...found.map((check) => `| \`${typed}\` | ${check.expected} | ${check.found} |`))
    all.push(...found)
  }
  writeFileSync(`${RESULTS}/node-${parseInt(process.versions.node)}.json`, `${json(all)}\n`)
  console.log(`${rows.join('\n')}\n`)
  return all
}

type Result = ReturnType<typeof resultOf>

function resultOf(checks: Check[]) {
  return { at: new Date().toISOString(), machine: machine(), checks, comparison }
}

/** Four digits are more than repeat. */
function json(checks: Check[]): string {
  return JSON.stringify(resultOf(checks), (_, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(4)) : value,
  )
}

function number(option: keyof typeof numbers, otherwise: number): number {
  const value = Number(values[option] ?? otherwise)
  if (!(value > 0)) throw new TypeError(`--${option} ${values[option] ?? ''} is not a number above zero`)
  return value
}
