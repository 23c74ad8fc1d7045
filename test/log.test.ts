import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import t, { type Test } from 'tap'
import { readableLine } from '../src/log/readable-line.js'
import { compiled } from './support/compiled.js'

const NODE = ['--input-type=module', '-e']

/** 500,000 lines in bursts, then the exit; what became of them goes to standard error. */
const FLOOD = `
  const reasons = []
  const unwritten = (count, reason) => writeSync(2, '\\nunwritten ' + count + ' ' + reason)
  const lines = new LineBuffer({ failing: (reason) => reasons.push(reason), lost() {}, unwritten })
  const before = process.memoryUsage().rss
  for (let burst = 0; burst < 50; burst++) {
    for (let left = 10_000; left > 0; left--) lines.write('x'.repeat(100) + '\\n')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  lines.flushSync()
  const grown = (process.memoryUsage().rss - before) / 1e6
  await new Promise((resolve) => process.stderr.write(JSON.stringify({ dropped: lines.dropped, reasons, grown, exited: 1 }), resolve))
  process.exit(0)`

const RECOVERY = `
  const lines = new LineBuffer({ failing() {}, unwritten() {}, lost(count, reason) { lines.write('lost ' + count + ' ' + reason + '\\n') } })
  for (let number = 0; number < 100_000; number++) lines.write('line ' + number + ' ' + 'x'.repeat(100) + '\\n')
  await new Promise((resolve) => setTimeout(resolve, 3000))
  await new Promise((resolve) => lines.flush(resolve))
  process.exit(0)`

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

t.test('a reader that does not read costs lines, no memory and no time', async (t) => {
  const child = spawn(process.execPath, [...NODE, script(FLOOD)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let told = ''
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()))
  child.stdout.pause()
  const [code] = (await once(child, 'exit')) as [number]
  t.equal(code, 0, told)
  const { dropped, grown, exited } = result(told)
  t.ok(dropped > 100_000, `${dropped} lines dropped`)
  t.ok(grown < 32, `${grown} MB more`)
  t.equal(exited, 1)
})

t.test(
  'a full disk and a closed reader cost lines, and the loss is told when they can be written',
  async (t) => {
    const full = spawnSync(process.execPath, [...NODE, script(FLOOD)], {
      stdio: ['ignore', openFull(t), 'pipe'],
      encoding: 'utf8',
    })
    t.equal(full.status, 0, full.stderr)
    t.match(result(full.stderr), { reasons: ['ENOSPC'] })
    const [, unwritten, reason] = /unwritten (\d+) (\w+)/.exec(full.stderr) ?? []
    t.equal(Number(unwritten) + result(full.stderr).dropped, 500_000, 'each line is accounted for')
    t.equal(reason, 'ENOSPC')

    const closed = spawn(process.execPath, [...NODE, script(FLOOD)], { stdio: ['ignore', 'pipe', 'pipe'] })
    closed.stdout.destroy()
    let told = ''
    closed.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()))
    t.same(await once(closed, 'close'), [0, null], told)
    t.match(result(told), { reasons: ['EPIPE'] })

    const recovering = spawn(process.execPath, [...NODE, script(RECOVERY)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    recovering.stdout.pause()
    setTimeout(() => recovering.stdout.resume(), 500)
    let text = ''
    recovering.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    t.same(await once(recovering, 'close'), [0, null])
    const lines = text.split('\n').slice(0, -1)
    t.match(lines.at(-1), /^lost \d+ EAGAIN$/)
    t.ok(
      lines.slice(0, -1).every((line) => /^line \d+ x{100}$/.test(line)),
      'and no line is torn',
    )
  },
)

t.test('in a terminal a request is one sentence', (t) => {
  const line = {
    level: 'info',
    time: '2026-11-27T10:00:00.000Z',
    service: 'zendesk-session-proxy',
    method: 'GET',
    route: '/session/renew',
    status: 200,
    requestId: '1212',
    caller: 'billing',
    durationMs: 147.2,
    zendeskMs: 15.1,
    zendesk: { status: 200 },
    msg: 'request',
  }
  t.match(
    readableLine(JSON.stringify(line)),
    /200 GET \/session\/renew 147 ms, Zendesk 15 ms {2}billing {2}1212/,
  )
  t.notMatch(readableLine(JSON.stringify(line)), /<billing>/, 'no name taken for a place in the code')
  t.match(
    readableLine(JSON.stringify({ ...line, status: 429, code: 'caller-rate-limited', zendeskMs: undefined })),
    /429 GET \/session\/renew 147 ms {2}caller-rate-limited {2}billing/,
  )
  const other = readableLine(
    JSON.stringify({ level: 'warn', msg: 'a warning', caller: 'billing', seconds: 4 }),
  )
  t.match(other, /WARN.*: a warning \{"seconds":4,"from":"billing"\}/)
  t.equal(readableLine('no JSON\n'), 'no JSON\n')
  t.end()
})

function script(body: string): string {
  return `import { writeSync } from 'node:fs'\nimport { LineBuffer } from '${compiled('src/log/line-buffer.js')}'\n${body}`
}

/** What FLOOD told of itself. */
function result(standardError: string) {
  const [first = ''] = standardError.split('\n')
  return JSON.parse(first) as { dropped: number; grown: number; exited: number; reasons: string[] }
}

/** What comes out of a process that writes so. */
function run(body: string): string[] {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      ...NODE,
      script(`const lines = new LineBuffer({ failing() {}, lost() {}, unwritten() {} })
      ${body}
      await new Promise((resolve) => lines.flush(resolve))`),
    ],
    { encoding: 'utf8', maxBuffer: 10_000_000 },
  )
  if (status !== 0) throw new Error(stderr)
  return stdout.split('\n').slice(0, -1)
}

/** A device that is always full (full(4)). */
function openFull(t: Test): number {
  const descriptor = openSync('/dev/full', 'w')
  t.teardown(() => {
    closeSync(descriptor)
  })
  return descriptor
}
