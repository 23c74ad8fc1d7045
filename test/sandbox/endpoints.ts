import { randomBytes } from 'node:crypto'
import type { Standing } from './account.js'
import { answerOf, type Answer } from './answers.js'

export type Place = 'renew' | 'token' | 'me'

/** Which of the endpoints this path belongs to, whatever the method and the query. */
export function placeOf(path: string): Place | undefined {
  return places.get(path.replace(/\?.*$/, ''))
}

/** Zendesk's answer under `/api/v2` to a client of this standing. */
export function answerApi(place: Place | undefined, method: string, standing: Standing): Answer {
  if (method !== 'GET' || !place || place === 'token') return answerOf(404, 'invalid-endpoint')
  if (standing === 'invalid-token') return answerOf(401, 'invalid-token')
  if (standing === 'missing-scopes') return answerOf(403, 'missing-scopes')
  return place === 'me' ? me(standing) : renewSession(standing)
}

export function jsonAnswer(status: number, value: unknown): Answer {
  return { status, body: JSON.stringify(value), contentType: 'application/json; charset=utf-8' }
}

const places = new Map<string, Place>([
  ['/api/v2/users/me/session/renew', 'renew'],
  ['/api/v2/users/me', 'me'],
  ['/api/v2/users/me.json', 'me'],
  ['/oauth/tokens', 'token'],
])

function renewSession(standing: Standing): Answer {
  if (standing === 'anonymous') return answerOf(401)
  return jsonAnswer(200, { authenticity_token: randomBytes(64).toString('base64url') })
}

function me(standing: Standing): Answer {
  return jsonAnswer(200, { user: standing === 'known' ? agent : anonymousUser })
}

const agent = {
  id: 9_000_000_001,
  url: 'https://sandbox.zendesk.com/api/v2/users/9000000001.json',
  name: 'Sandbox Agent',
  email: 'agent@sandbox.example',
  role: 'agent',
  active: true,
  verified: true,
  suspended: false,
}

const anonymousUser = {
  id: null,
  url: 'https://sandbox.zendesk.com/api/v2/users/.json',
  name: 'Anonymous user',
  email: 'invalid@example.com',
  role: 'end-user',
  active: false,
  verified: false,
  suspended: false,
}
