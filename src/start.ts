#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'

/**
 * The entry of the program. Static imports run before any line of a module, so this one imports nothing of ours: a signal
 * has to be heard while the rest is still loading.
 */

// As PID 1 a process gets only the signals that it listens to. `serve` takes over once it listens.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(0))

// libuv reads this when it starts its threads, of which look-ups of names get half: one whose server is silent occupies a
// thread for as long as the resolver waits, and Zendesk's name must resolve all the same. Node 20 has its threads by now, so
// `npm start` and the image set the variable as well.
process.env['UV_THREADPOOL_SIZE'] ??= '16'

// Node would open a debugger.
process.on('SIGUSR1', () => undefined)

// Seen on Node 20: many answers to clients who do not read make V8 allocate what node:http binds to each response in old space
// for good, and every later request then survives until a mark-compact (allocation-site pretenuring).
setFlagsFromString('--no-allocation-site-pretenuring')

const { run } = await import('./cli.js')
await run(process.argv.slice(2))
