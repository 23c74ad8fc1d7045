import { spawnSync } from 'node:child_process'
import t from 'tap'

t.test('lines of any length come out whole, in their order', (t) => {
  const lengths = [10, 70_000, 30_000, 21_000, 65_536, 1, 200_000, 40_000]
  const lines = run(
    `for (const [index, length] of ${JSON.stringify(lengths)}.entries())
      lines.write(String.fromCharCode(97 + index).repeat(length) + 'ü\\n')`,
  )
  t.same(
    lines.map((line) => [line[0], line.length]),
    lengths.map((length, index) => [String.fromCharCode(97 + index), length + 1]),
  )
  t.end()
})

t.test('lines in bursts, with time between them to be written, come out whole too', (t) => {
  const bursts = [1, 2000, 10, 9000, 300, 20_000, 1, 5000]
  const lines = run(
    `let number = 0
    for (const size of ${JSON.stringify(bursts)}) {
      for (let left = size; left > 0; left--) lines.write('line ' + number++ + ' of many, and as long as most\\n')
      await new Promise((resolve) => setTimeout(resolve, size % 1000 === 0 ? 0 : 30))
    }`,
  )
  const total = bursts.reduce((sum, size) => sum + size)
  t.same(
    lines,
    Array.from({ length: total }, (_, number) => `line ${number} of many, and as long as most`),
  )
  t.end()
})

/** What comes out of a process that writes so. */
function run(script: string): string[] {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      `import { LogLines } from './src/log-lines.ts'
      const lines = new LogLines()
      ${script}`,
    ],
    { encoding: 'utf8', maxBuffer: 10_000_000 },
  )
  if (status !== 0) throw new Error(stderr)
  return stdout.split('\n').slice(0, -1)
}
