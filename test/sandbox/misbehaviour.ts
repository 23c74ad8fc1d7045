import { setTimeout as wait } from 'node:timers/promises'
import { answerOf, type Answer } from './answers.js'
import { cutHead, dripHead, garbage, reset, resetMidBody } from './broken-wire.js'
import { badGzip, declaredHuge, drip, endless, gzipBomb } from './bad-bodies.js'
import { jsonAnswer } from './endpoints.js'
import type { Exchange } from './exchange.js'
import type { Fault } from './faults.js'
import { overlay, send } from './wire.js'

/** Answers this one request as the fault says. */
export async function misbehave(fault: Fault, exchange: Exchange): Promise<void> {
  switch (fault.kind) {
    case 'status':
      send(exchange, statusAnswer(fault))
      break
    case 'body':
      send(exchange, bodyAnswer(fault))
      break
    case 'redirect':
      send(exchange, redirectAnswer(fault, exchange.origin))
      break
    case 'echo':
      send(exchange, echoAnswer(exchange))
      break
    case 'anonymous':
      send(exchange, exchange.normally('anonymous'))
      break
    case 'delay':
      await wait(fault.ms, undefined, { ref: false })
      send(exchange, exchange.normally())
      break
    case 'silence':
      break
    case 'drip':
      drip(exchange, fault.ms)
      break
    case 'drip-head':
      dripHead(exchange, fault.ms)
      break
    case 'endless':
      await endless(exchange)
      break
    case 'declared-huge':
      declaredHuge(exchange)
      break
    case 'reset':
      reset(exchange)
      break
    case 'reset-mid-body':
      await resetMidBody(exchange)
      break
    case 'cut-head':
      cutHead(exchange)
      break
    case 'garbage':
      garbage(exchange)
      break
    case 'bad-gzip':
      badGzip(exchange)
      break
    case 'gzip-bomb':
      await gzipBomb(exchange)
      break
  }
}

type FaultOf<Kind extends Fault['kind']> = Extract<Fault, { kind: Kind }>

function statusAnswer({ status, body, headers, shape }: FaultOf<'status'>): Answer {
  const real = answerOf(status, shape)
  const said = body === undefined ? real : { ...real, ...withType(body, real.contentType) }
  return { ...said, headers: overlay(real.headers, headers) }
}

function withType(body: string, usual = 'text/plain; charset=utf-8'): Pick<Answer, 'body' | 'contentType'> {
  if (/^\s*[[{]/.test(body)) return { body, contentType: 'application/json; charset=utf-8' }
  return { body, contentType: body.startsWith('<') ? 'text/html; charset=utf-8' : usual }
}

function bodyAnswer(fault: FaultOf<'body'>): Answer {
  const { body, contentType = 'application/json; charset=utf-8', status = 200 } = fault
  return { status, body, contentType }
}

/** To an address of our own, where a client that follows it is seen. */
function redirectAnswer({ status = 302, location }: FaultOf<'redirect'>, origin: string): Answer {
  const to = location ?? `${origin}/access/return_to?challenge=sandbox-challenge-not-a-secret`
  const body = `<html><body>You are being <a href="${to}">redirected</a>.</body></html>`
  return { status, body, contentType: 'text/html; charset=utf-8', headers: { Location: to } }
}

function echoAnswer({ received }: Exchange): Answer {
  const { headers, rawHeaders, body } = received
  const secret = String(headers['authorization'] ?? body.replaceAll(/[^\x20-\x7e]/g, ''))
  return {
    ...jsonAnswer(200, { ...headers, request: { headers, rawHeaders, body } }),
    headers: {
      'Set-Cookie': `_zendesk_cookie=${secret}; path=/; secure; HttpOnly`,
      'WWW-Authenticate': `Bearer realm="${secret}"`,
      Location: `/access/unauthenticated?return_to=${secret}`,
    },
  }
}
