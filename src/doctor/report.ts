import { styleText } from 'node:util'
import type { CheckedFinding } from './examine.js'

const WIDTHS = { level: 6, check: 15 }
const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const

/** Prints every finding, then what follows from all of them. True if nothing failed. */
export async function report(
  findings: AsyncIterable<CheckedFinding>,
  output: Output,
  asJson = false,
): Promise<boolean> {
  return asJson ? reportJson(findings, output) : reportText(findings, output)
}

/** As much of a terminal's stream as is needed. */
export interface Output {
  write(text: string): unknown
  isTTY?: boolean
  hasColors?(): boolean
}

/** Each finding as soon as it is found. */
async function reportText(findings: AsyncIterable<CheckedFinding>, output: Output): Promise<boolean> {
  const coloured = output.isTTY === true && output.hasColors?.() === true
  const count = { ok: 0, warn: 0, fail: 0 }
  for await (const finding of findings) {
    count[finding.level] += 1
    output.write(lines(finding, coloured))
  }
  output.write(`\n${conclusion(count)}\n`)
  return count.fail === 0
}

/** One document: `{ ready, findings: [{ check, level, title, detail?, fix? }] }`. */
async function reportJson(findings: AsyncIterable<CheckedFinding>, output: Output): Promise<boolean> {
  const all: CheckedFinding[] = []
  for await (const finding of findings) all.push(finding)
  const ready = all.every(({ level }) => level !== 'fail')
  output.write(`${JSON.stringify({ ready, findings: all }, undefined, 2)}\n`)
  return ready
}

function lines({ level, check, title, detail, fix }: CheckedFinding, coloured: boolean): string {
  const mark = level.padEnd(WIDTHS.level)
  const head = coloured ? styleText(COLOURS[level], mark, { validateStream: false }) : mark
  const more = [detail, fix === undefined ? undefined : `Fix: ${fix}`]
    .flatMap((text) => printable(text ?? '').split('\n'))
    .filter((line) => line !== '')
    .map((line) => `${' '.repeat(WIDTHS.level + WIDTHS.check)}${line}\n`)
  return `${head}${check.padEnd(WIDTHS.check)}${printable(title)}\n${more.join('')}`
}

/** Texts of others, such as the issuer of a certificate, must not move the cursor. */
function printable(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, '')
}

function conclusion({ warn, fail }: Record<'warn' | 'fail', number>): string {
  if (fail > 0) return 'Not ready: fix the failed checks, then run the doctor again.'
  return warn > 0 ? `Ready, with ${warn} ${warn === 1 ? 'warning' : 'warnings'}.` : 'Ready.'
}
