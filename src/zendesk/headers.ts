import type { Answer } from './judge.js'

/** Whole seconds from 1 to 600; undefined where absent or unreadable. A date (RFC 9110, section 10.2.3) counts from `date`. */
export function retryAfter(headers: Answer['headers']): number | undefined {
  const value = first(headers['retry-after'])
  if (value === undefined) return undefined
  const seconds = /^\d+$/.test(value) ? Number(value) : secondsBetween(headers.date, headers['retry-after'])
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 1), 600)
}

function secondsBetween(from: Answer['headers'][string], to: Answer['headers'][string]): number {
  return Math.ceil((httpDate(to) - httpDate(from)) / 1000)
}

function httpDate(value: Answer['headers'][string]): number {
  const text = [value].flat()[0] ?? ''
  return /^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text) ? Date.parse(text) : NaN
}

/** The first of the values of a header that came several times, in several lines or joined by commas. */
export function first(value: string | string[] | undefined): string | undefined {
  return [value].flat()[0]?.split(',')[0]?.trim()
}
