import { spawnSync } from 'node:child_process'
import t from 'tap'

t.test('lines of any length come out whole, in their order', (t) => {
  const lengths = [10, 70_000, 30_000, 21_000, 65_536, 1, 200_000, 40_000]
  const script = `
    import { LogLines } from './src/log-lines.ts'
    const lines = new LogLines()
    for (const [index, length] of ${JSON.stringify(lengths)}.entries())
      lines.write(String.fromCharCode(97 + index).repeat(length) + 'ü\\n')`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', script],
    {
      encoding: 'utf8',
      maxBuffer: 10_000_000,
    },
  )
  t.equal(stderr, '')
  const told = stdout.split('\n').map((line) => [line[0], line.length])
  t.same(
    told.slice(0, -1),
    lengths.map((length, index) => [String.fromCharCode(97 + index), length + 1]),
  )
  t.end()
})
