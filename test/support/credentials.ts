import { setTimeout as delay } from 'node:timers/promises'
import { keyDigest } from '../../src/callers/keys.js'
import { ask } from './helper.js'

/** For CALLER_KEYS. */
export function entry(name: string, key: string): string {
  return `${name}:${keyDigest(key)}`
}

export function bearer(keyOrToken: string): string {
  return `Bearer ${keyOrToken}`
}

export function basic(name: string, key: string): string {
  return `Basic ${Buffer.from(`${name}:${key}`).toString('base64')}`
}

/** One renewal with this Authorization header, or without one. */
export function renew(url: string, authorization?: string, headers: Record<string, string> = {}) {
  return ask(`${url}/session/renew`, {
    headers: { ...headers, ...(authorization !== undefined && { authorization }) },
  })
}

export async function eventually(isSo: () => boolean | Promise<boolean>, withinMs = 45_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not so within ${withinMs} ms`)
    await delay(20)
  }
}
