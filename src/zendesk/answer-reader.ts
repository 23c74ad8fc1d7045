import { gunzipSync } from 'node:zlib'
import type { Dispatcher } from 'undici'
import type { Answer } from './judge.js'

/** What Zendesk may send at most, in octets, counted before and after decompression. A renewal has some 120. */
const BODY_LIMIT = 256 * 1024
/** Enough of a refusal to tell who refuses. */
const EXCERPT_LIMIT = 16 * 1024
/** How long a body that hardly matters may take. */
const ASIDE_MS = 250

/** Reads an answer within bounds, as far as its body matters. `end` tells whether the connection can be used again. */
export async function readAnswer(
  response: Dispatcher.ResponseData,
  signal: AbortSignal,
): Promise<{ answer: Omit<Answer, 'zendeskMs'>; end: Promise<boolean> }> {
  const { statusCode: status, body } = response
  const headers = trimmed(response.headers)
  body.on('error', () => undefined)
  if (status === 403) {
    const bytes = await readExcerpt(body)
    return { answer: { status, headers, body: decode(bytes, headers) }, end: drained(body) }
  }
  if (!bodyMatters(status)) return { answer: { status, headers, body: undefined }, end: drained(body) }
  const bytes = await readWhole(body, Number(headers['content-length']))
  signal.throwIfAborted()
  const answer = { status, headers, body: bytes && decode(bytes, headers) }
  return { answer, end: Promise.resolve(bytes !== undefined) }
}

/** A success holds the token, and a 404 tells whether there is an account at all; a 403, who refuses. Others speak for themselves. */
function bodyMatters(status: number): boolean {
  return (status >= 200 && status <= 299) || status === 404
}

/** RFC 9110, section 5.5: blanks around a field value are not part of it. */
function trimmed(headers: Dispatcher.ResponseData['headers']): Answer['headers'] {
  const trim = (value: string) => value.replace(/^[ \t]+|[ \t]+$/g, '')
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === 'string' ? trim(value) : value?.map(trim),
    ]),
  )
}

type Body = Dispatcher.ResponseData['body']

/** Undefined where the body is longer than the limit, as announced or as counted, or was cut off. */
async function readWhole(body: Body, announced: number): Promise<Buffer | undefined> {
  if (announced > BODY_LIMIT) return undefined
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > BODY_LIMIT) return undefined
      chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return Buffer.concat(chunks)
}

/** What has come of it until it ends, is long enough, or has taken too long. */
function readExcerpt(body: Body): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    const stop = () => {
      clearTimeout(timer)
      body.removeListener('data', take).pause()
      resolve(Buffer.concat(chunks))
    }
    const take = (chunk: Buffer) => {
      chunks.push(chunk)
      length += chunk.length
      if (length >= EXCERPT_LIMIT) stop()
    }
    const timer = setTimeout(stop, ASIDE_MS)
    body.on('data', take).once('end', stop).once('error', stop)
  })
}

/** Reads what is left where that is short and quick, so that the connection can be used again; nobody waits for it. */
function drained(body: Body): Promise<boolean> {
  if (body.readableEnded) return Promise.resolve(true)
  if (body.destroyed) return Promise.resolve(false)
  return body.dump({ limit: BODY_LIMIT, signal: AbortSignal.timeout(ASIDE_MS) }).then(
    () => body.readableEnded,
    () => false,
  )
}

function decode(bytes: Buffer, headers: Answer['headers']): Buffer | undefined {
  // RFC 9110, section 8.4.1: the names of content codings are case-insensitive.
  const coding = String(headers['content-encoding'] ?? 'identity').toLowerCase()
  if (coding === 'identity') return bytes
  if (coding !== 'gzip' && coding !== 'x-gzip') return undefined
  try {
    return gunzipSync(bytes, { maxOutputLength: BODY_LIMIT })
  } catch {
    return undefined
  }
}
