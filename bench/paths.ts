import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// This file runs as dist/bench/paths.js.
const dist = fileURLToPath(new URL('..', import.meta.url))

export const SERVICE_PATH = join(dist, 'src/server.js')

export function programPath(name: string): string {
  return join(dist, 'bench/programs', `${name}.js`)
}

/** A file for what a run found, or for its logs. */
export function resultPath(name: string): string {
  const folder = join(dist, '../bench/results')
  mkdirSync(folder, { recursive: true })
  return join(folder, name)
}

/** A new folder that is gone when this process is. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'zendesk-session-proxy-bench-'))
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}
