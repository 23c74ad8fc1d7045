import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { buildSync } from 'esbuild'
import { parse } from 'yaml'

let folder = import.meta.filename.endsWith('.js') ? join(import.meta.dirname, '../..') : undefined

/**
 * A program of this repository as JavaScript, such as `src/start.js`. A process that compiles TypeScript while it loads starts
 * twice as slowly, and tsx does not bear an exit meanwhile. The suite compiles once; a test that runs alone does so by itself.
 */
export function compiled(program: string): string {
  folder ??= compile()
  return join(folder, program)
}

/** Into the repository, because the copy needs node_modules; removed with this process. */
function compile(): string {
  mkdirSync('.tap', { recursive: true })
  const outdir = mkdtempSync('.tap/compiled-')
  process.on('exit', () => {
    rmSync(outdir, { recursive: true })
  })
  buildSync({
    entryPoints: [...['src', 'routes', 'plugins', 'test'].flatMap(sourcesIn), 'openapi.yaml', 'package.json'],
    loader: { '.yaml': 'copy', '.json': 'copy' },
    outdir,
    outbase: '.',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    sourcesContent: false,
  })
  // As the build does: to parse YAML would take most of each start.
  const contract: unknown = parse(readFileSync('openapi.yaml', 'utf8'))
  writeFileSync(join(outdir, 'openapi.json'), JSON.stringify(contract))
  return resolve(outdir)
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : sourcesIn(path)
    return /(?<!\.d)\.ts$/.test(path) ? [path] : []
  })
}
