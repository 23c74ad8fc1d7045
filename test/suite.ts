import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { compiled } from './support/compiled.js'

/** The whole suite: each file is a process, as with `tap run`, but compiled once and without tap's loaders in each of them. */
const FILE_LIMIT_MS = 120_000

t.setTimeout(0)
t.jobs = 3
runFiles(t, 'test')
t.test('timed: one at a time, with nothing beside them', (t) => {
  runFiles(t, 'test/timed')
  t.end()
})

function runFiles(t: Test, folder: string): void {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.test.ts'))) {
    const name = join(folder, file)
    // tap puts a loader into NODE_OPTIONS of what it starts; it serves coverage and costs a second of each process.
    const words = [
      '-u',
      'NODE_OPTIONS',
      process.execPath,
      '--enable-source-maps',
      compiled(name.replace(/ts$/, 'js')),
    ]
    void t.spawn('env', words, { name, buffered: t.jobs > 1, timeout: FILE_LIMIT_MS })
  }
}
