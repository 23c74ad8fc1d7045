import { styleText } from 'node:util'
import type { CheckedFinding } from './examine.js'

const WIDTHS = { level: 6, check: 15 }
const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const

/** Prints every finding as it comes, and what follows from all of them. True if nothing failed. */
export async function report(findings: AsyncIterable<CheckedFinding>, output: Output): Promise<boolean> {
  const coloured = output.isTTY === true && output.hasColors?.() === true
  const count = { ok: 0, warn: 0, fail: 0 }
  for await (const finding of findings) {
    count[finding.level] += 1
    output.write(lines(finding, coloured))
  }
  output.write(`\n${conclusion(count)}\n`)
  return count.fail === 0
}

/** As much of a terminal's stream as is needed. */
export interface Output {
  write(text: string): unknown
  isTTY?: boolean
  hasColors?(): boolean
}

function lines({ level, check, title, detail, mend }: CheckedFinding, coloured: boolean): string {
  const mark = level.padEnd(WIDTHS.level)
  const head = coloured ? styleText(COLOURS[level], mark, { validateStream: false }) : mark
  const more = [detail, mend === undefined ? undefined : `To mend it: ${mend}`]
    .flatMap((text) => printable(text ?? '').split('\n'))
    .filter((line) => line !== '')
    .map((line) => `${' '.repeat(WIDTHS.level + WIDTHS.check)}${line}\n`)
  return `${head}${check.padEnd(WIDTHS.check)}${printable(title)}\n${more.join('')}`
}

/** Words of others, such as the issuer of a certificate, must not move the cursor. */
function printable(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, '')
}

function conclusion({ warn, fail }: Record<'warn' | 'fail', number>): string {
  if (fail > 0) return 'Not ready: mend what is marked fail, then run the doctor again.'
  return warn > 0 ? `Ready, with ${warn} ${warn === 1 ? 'warning' : 'warnings'}.` : 'Ready.'
}
