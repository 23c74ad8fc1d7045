import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { examine, type CheckedFinding } from '../../src/doctor/examine.js'
import { report } from '../../src/doctor/report.js'
import type { SandboxZendesk } from '../sandbox/zendesk.js'
import { compiled } from './compiled.js'

/** One without a warning, whichever runs the tests. */
export const SUPPORTED_NODE = 'v24.0.0'

/** What a visit to the doctor gave, in this process. No secret may be in it: that is looked for after each one. */
export async function visit(t: Test, environment: NodeJS.ProcessEnv, zendesk?: SandboxZendesk) {
  const printed: string[] = []
  const findings: CheckedFinding[] = []
  const well = await report(kept(examine(environment, SUPPORTED_NODE), findings), {
    write: (text) => printed.push(text),
  })
  const output = printed.join('')
  checkNoSecret(t, output, secretsOf(environment, zendesk))
  return { well, output, findings, levels: levelsOf(findings), failure: failureOf(findings) }
}

/** The same as a process of its own: what counts here are the exit code and the certificates that it trusts. */
export async function visitByProcess(t: Test, environment: NodeJS.ProcessEnv, zendesk?: SandboxZendesk) {
  const child = spawn(process.execPath, [compiled('src/start.js'), 'doctor'], { env: environment })
  t.teardown(() => child.kill())
  const [output, errors, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ])
  checkNoSecret(t, output + errors, secretsOf(environment, zendesk))
  return { exitCode, output, errors }
}

/** One line for each check: `check level`. */
function levelsOf(findings: CheckedFinding[]): string[] {
  return findings.map(({ check, level }) => `${check} ${level}`)
}

/** The one thing that failed, as one text; empty where nothing did. */
function failureOf(findings: CheckedFinding[]): string {
  const [failed] = findings.filter(({ level }) => level === 'fail')
  return failed ? [failed.check, failed.title, failed.detail, failed.fix].join('\n') : ''
}

async function* kept(
  findings: AsyncIterable<CheckedFinding>,
  list: CheckedFinding[],
): AsyncGenerator<CheckedFinding> {
  for await (const finding of findings) {
    list.push(finding)
    yield finding
  }
}

/** Ours, and what Zendesk was shown of them: minted tokens, and the pairs of Basic. */
function secretsOf(environment: NodeJS.ProcessEnv, zendesk?: SandboxZendesk): string[] {
  const ours = Object.entries(environment)
    .filter(([name]) => /_(SECRET|TOKEN|PASSWORD|EMAIL)$/.test(name))
    .map(([, value]) => value ?? '')
  const shown = (zendesk?.requests ?? []).map(({ headers }) =>
    String(headers['authorization'] ?? '').replace(/^\w+ /, ''),
  )
  return [...ours, ...shown, ...shown.map((value) => Buffer.from(value, 'base64').toString())]
}

function checkNoSecret(t: Test, output: string, secrets: string[]): void {
  const forms = secrets
    .filter((secret) => secret.length >= 8)
    .flatMap((secret) => [secret, Buffer.from(secret).toString('base64'), encodeURIComponent(secret)])
  t.same(
    forms.filter((form) => output.includes(form)),
    [],
    'no secret is printed',
  )
  t.notMatch(output, /sandbox-(access|cookie|challenge)|[\w-]{60,}/, 'no token is printed')
}
