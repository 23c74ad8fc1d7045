import { readFileSync } from 'node:fs'

/** The version in package.json, for the user agent, metrics and traces. */
export const version = readVersion()

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}
