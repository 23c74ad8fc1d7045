import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { version } from '../src/version.js'
import { compiled } from './support/compiled.js'
import { startZendesk } from './support/helper.js'

const USAGE =
  /^Usage: zendesk-session-proxy \[COMMAND\]\n[^]*serve[^]*doctor \[--json\][^]*check[^]*keygen NAME/

t.test('each command has its output, its stream and its exit code', async (t) => {
  const { environment } = await startZendesk(t)
  const wrong = { ...environment, PORT: '"3000"' }
  const nowhere = { ...environment, ZENDESK_URL: 'http://127.0.0.1:1' }
  const cases: [words: string[], NodeJS.ProcessEnv, exitCode: number, output: RegExp, errors: RegExp][] = [
    [['doctor'], environment, 0, /^ok +renewal .*[^]*\nReady/m, /^$/],
    [['doctor'], nowhere, 1, /^fail +address .*[^]*\nNot ready: fix the failed checks/m, /^$/],
    [['doctor', '--json'], nowhere, 1, /^\{\n {2}"ready": false,\n {2}"findings": \[/, /^$/],
    [['doctor', '--xml'], environment, 1, /^$/, USAGE],
    [['check'], nowhere, 0, /The configuration is valid\.\n$/, /^$/],
    [['check'], wrong, 1, /^$/, /^zendesk-session-proxy cannot start\.[^]*\n {2}PORT: .*quotation marks/],
    [['check', 'twice'], environment, 1, /^$/, USAGE],
    [['serve'], wrong, 1, /^$/, /^zendesk-session-proxy cannot start\.[^]*\n {2}PORT: .*quotation marks/],
    [[], wrong, 1, /^$/, /^zendesk-session-proxy cannot start\./],
    [['keygen', 'x'], {}, 0, /\n {2}zsp_\S+\n[^]*\n {2}x:[0-9a-f]{64}\n$/, /^$/],
    [['keygen'], {}, 1, /^$/, /^Usage: zendesk-session-proxy keygen NAME/],
    [['--version'], {}, 0, new RegExp(`^${version}\n$`), /^$/],
    [['--help'], {}, 0, USAGE, /^$/],
    [['start'], {}, 1, /^$/, USAGE],
  ]
  for (const [words, variables, exitCode, output, errors] of cases) {
    const name = words.join(' ')
    const child = spawn(process.execPath, [compiled('src/start.js'), ...words], { env: variables })
    t.teardown(() => child.kill())
    const [printed, told, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ])
    t.equal(code, exitCode, name)
    t.match(printed, output, name)
    t.match(told, errors, name)
    t.notMatch(printed + told, /\n\s+at |sandbox-bearer/, `${name}: neither a stack trace nor a secret`)
    t.notOk((printed + told).includes('\u001b'), `${name}: no colours where nobody looks at a terminal`)
  }
})
