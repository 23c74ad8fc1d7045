import createClient from 'openapi-fetch'
import type { paths } from './generated/service.js'

const { SERVICE = 'http://127.0.0.1:3000', KEY = '' } = process.env

const client = createClient<paths>({
  baseUrl: SERVICE,
  headers: { authorization: `Bearer ${KEY}` },
})

/** @throws with the service's own words; `code` and `retryAfter` are there for programs. */
export async function renewSession(): Promise<string> {
  const { data, error } = await client.GET('/session/renew')
  if (data) return data.authenticity_token
  throw Object.assign(new Error(`${error.title}. ${error.detail} (request ${error.requestId})`), {
    code: error.code,
    retryAfter: error.retryAfter,
  })
}

console.log(await renewSession())
