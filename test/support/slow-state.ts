import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export interface Target {
  /** Of its renewals. */
  url: string
  /** That its callers send. */
  headers: Record<string, string>
  pid: number
}

const CALLERS = 64
const PIPELINED = 60
const DOWNLOAD = '/docs/static/swagger-ui-bundle.js'

/**
 * Makes a Node server that is under load write answers to sockets that cannot take them. On Node 20 V8 can then decide to
 * allocate parts of every later response in old space, and garbage collection costs several times as much from then on.
 */
export async function provokeSlowState(target: Target, times = 6): Promise<void> {
  for (let count = 0; count < times; count++) {
    await hangUpTogether(target)
    await pipelineBehindDownload(target)
  }
}

/** Callers who have all hung up when their shared answer arrives. */
async function hangUpTogether(target: Target): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: CALLERS }, () => open(target)))
  process.kill(target.pid, 'SIGSTOP')
  try {
    for (const socket of sockets) socket.end(request(target))
    await delay(50)
  } finally {
    process.kill(target.pid, 'SIGCONT')
  }
  await delay(200)
  for (const socket of sockets) socket.destroy()
}

/** Requests behind a download that is never read. */
async function pipelineBehindDownload(target: Target): Promise<void> {
  const sockets = await Promise.all([open(target), open(target)])
  for (const socket of sockets) {
    socket.pause()
    socket.write(request(target, DOWNLOAD) + request(target).repeat(PIPELINED))
  }
  await delay(500)
  for (const socket of sockets) socket.destroy()
}

function request({ url, headers }: Target, path = new URL(url).pathname): string {
  const lines = Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}`)
  return `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}

async function open({ url }: Target): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  return socket.on('error', () => undefined)
}
