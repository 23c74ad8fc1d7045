import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import autocannon from 'autocannon'
import t from 'tap'
import { compiled } from './support/compiled.js'
import { freePort } from './support/free-port.js'
import { ask, startZendesk } from './support/helper.js'
import { catches, childOf, namespacesOrSkip, start, until } from './support/process.js'
import { toolOrSkip } from './support/tools.js'

t.test('a native crash ends it at once', async (t) => {
  const { environment } = await startZendesk(t)
  const signals = ['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGABRT'] as const
  await Promise.all(
    signals.map(async (signal) => {
      const service = start(t, environment)
      await service.url()
      service.child.kill(signal)
      await once(service.child, 'exit')
      t.equal(service.child.signalCode, signal)
    }),
  )
})

t.test('SIGUSR1 opens no debugger, SIGHUP ends it', async (t) => {
  const { environment } = await startZendesk(t)
  const service = start(t, environment)
  const url = await service.url()
  service.child.kill('SIGUSR1')
  t.equal((await ask(`${url}/session/renew`)).status, 200)
  t.notMatch(service.errors(), /[Dd]ebugger/)
  service.child.kill('SIGHUP')
  t.equal(await service.exitCode, 0)
})

t.test('a signal that comes just when it begins to listen ends it', async (t) => {
  const { environment } = await startZendesk(t)
  const service = start(t, environment, { preload: 'test/support/signal-at-listen.js' })
  t.equal(await service.exitCode, 0)
})

t.test('a signal during the start ends it', async (t) => {
  const { environment } = await startZendesk(t)
  const ends = [0, 100, 250, 500, 800].map(async (afterMs) => {
    const service = start(t, { ...environment, REDIS_URL: 'redis://127.0.0.1:1' })
    await until(() => hasEntered(service.child.pid))
    await new Promise((later) => setTimeout(later, afterMs))
    service.child.kill('SIGTERM')
    t.equal(await service.exitCode, 0, `after ${afterMs} ms`)
  })
  await Promise.all(ends)
})

t.test('closing the terminal ends it', toolOrSkip('python3'), async (t) => {
  const { environment } = await startZendesk(t)
  const command = [process.execPath, compiled('src/start.js')]
  const terminal = spawn('python3', ['test/support/close_terminal.py', 'Server listening', ...command], {
    env: { ...process.env, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  terminal.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await once(terminal, 'close')
  // Node 20 itself crashes when it resets a terminal that is gone; what counts is that the process ends.
  t.match(said, process.version.startsWith('v20.') ? /^ended (0|-6|-11)\n$/ : /^ended 0\n$/)
})

t.test('as PID 1 it ends on SIGTERM, during the start and later', namespacesOrSkip(), async (t) => {
  const { environment } = await startZendesk(t)
  for (const isReady of [false, true]) {
    const wrapper = ['unshare', '-pf', '--kill-child', '--mount-proc']
    const inner = start(t, environment, { wrapper })
    if (isReady) await inner.url()
    const pid = await childOf(inner.child.pid)
    await until(() => hasEntered(pid))
    process.kill(pid, 'SIGTERM')
    t.equal(await inner.exitCode, 0, isReady ? 'ready' : 'starting')
  }
})

t.test(
  'descriptors that are used up cost connections, and not the process',
  toolOrSkip('prlimit'),
  async (t) => {
    const { environment } = await startZendesk(t)
    const service = start(t, environment, { wrapper: ['prlimit', '--nofile=96'] })
    const url = await service.url()
    const port = Number(new URL(url).port)
    const idle = Array.from({ length: 300 }, () => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => undefined)
      return socket
    })
    await new Promise((later) => setTimeout(later, 2500))
    t.equal(service.child.exitCode, null, 'it lives')
    for (const socket of idle) socket.destroy()
    await until(async () => {
      const answer = await ask(`${url}/session/renew`).catch(() => undefined)
      return answer?.status === 200
    })
    service.child.kill('SIGTERM')
    t.equal(await service.exitCode, 0)
  },
)

t.test('a log that cannot be written holds up neither requests nor the exit', async (t) => {
  const { environment } = await startZendesk(t)
  const port = await freePort()
  const full = start(
    t,
    { ...environment, PORT: String(port) },
    { wrapper: ['sh', '-c', 'exec "$@" > /dev/full', 'sh'] },
  )
  const stalled = start(t, environment)
  const stalledUrl = await stalled.url()
  stalled.child.stdout?.pause()
  const fullUrl = `http://127.0.0.1:${port}`
  await until(async () => (await ask(`${fullUrl}/readyz`).catch(() => undefined))?.status === 200)
  for (const url of [fullUrl, stalledUrl]) {
    const { '4xx': notFound, errors } = await autocannon({
      url: `${url}/nothing`,
      connections: 50,
      amount: 5000,
    })
    t.same({ notFound, errors }, { notFound: 5000, errors: 0 })
    t.equal((await ask(`${url}/session/renew`)).status, 200)
  }
  for (const service of [full, stalled]) {
    service.child.kill('SIGTERM')
    await once(service.child, 'exit')
    t.equal(service.child.exitCode, 0)
  }
  t.match(full.errors(), /the log cannot be written \(ENOSPC\): lines wait/)
  t.match(full.errors(), /\d+ log lines could not be written before the exit \(ENOSPC\)/)
})

/** Whether the entry of the program runs: Node itself listens to SIGTERM and SIGINT, but not to SIGHUP. */
function hasEntered(pid: number | undefined): boolean {
  return catches(pid, 'SIGHUP')
}
