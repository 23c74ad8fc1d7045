import { connect } from 'node:net'
import { Writable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { readConfig } from '../../src/config/read.js'
import { SandboxZendesk, type SandboxOptions } from '../sandbox/zendesk.js'

export interface Service {
  app: FastifyInstance
  /** The origin at which the service listens, on a free port of 127.0.0.1. */
  url: string
  port: number
  /** Every line logged so far, parsed. The level is trace, so that a test sees all that could ever be written. */
  log: Record<string, unknown>[]
}

/** The service in this process, on a real socket, asking the Zendesk given; closed with the test. */
export async function startService(t: Test, environment: NodeJS.ProcessEnv): Promise<Service> {
  const log: Service['log'] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, written) {
      log.push(
        ...chunk
          .toString()
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Record<string, unknown>),
      )
      written()
    },
  })
  const config = await readConfig({ LOG_LEVEL: 'trace', PORT: '0', ...environment })
  const app = await buildApp(config, pino({ level: config.LOG_LEVEL }, sink))
  t.teardown(() => app.close())
  const url = await app.listen({ host: config.HOST, port: config.PORT })
  return { app, url, port: Number(new URL(url).port), log }
}

/** A sandbox Zendesk, closed with the test, and the environment that points a service to it with good credentials. */
export async function startZendesk(t: Test, options: SandboxOptions = {}) {
  const zendesk = await SandboxZendesk.start(options)
  t.teardown(() => zendesk.close())
  const environment = {
    ZENDESK_URL: zendesk.url,
    ZENDESK_OAUTH_TOKEN: zendesk.credentials.bearerToken,
    ZENDESK_BUDGET_PER_MINUTE: '0',
  }
  return { zendesk, environment }
}

/** Both, for the many tests that ask one service of one Zendesk. */
export async function startBoth(t: Test, environment: NodeJS.ProcessEnv = {}, options: SandboxOptions = {}) {
  const { zendesk, environment: pointing } = await startZendesk(t, options)
  const service = await startService(t, { ...pointing, ...environment })
  return { ...service, zendesk }
}

/** One request over a real socket; the body parsed where it is JSON of some kind. */
export async function ask(url: string, init: RequestInit = {}) {
  const startedAt = performance.now()
  const response = await fetch(url, { redirect: 'manual', ...init })
  const text = await response.text()
  const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: (isJson && text !== '' ? JSON.parse(text) : undefined) as Record<string, unknown> | undefined,
    tookMs: performance.now() - startedAt,
  }
}

/** Writes bytes to a socket as they are and gives what came back until the other side closed, or `forMs` passed. */
export function speak(port: number, bytes: string | Buffer, forMs = 2000): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    const timer = setTimeout(() => socket.destroy(), forMs)
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(Buffer.concat(chunks).toString('latin1'))
    })
  })
}
