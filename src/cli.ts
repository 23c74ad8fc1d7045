import { parseArgs } from 'node:util'

const USAGE = `Usage: zendesk-session-proxy [COMMAND]

Commands:
  serve            run the service (the default)
  doctor [--json]  check configuration, Zendesk and everything else that the service needs
  check            check the configuration alone, without the network
  keygen NAME      make a key for a caller, e.g. keygen billing

Options:
  --version, --help

The configuration comes from environment variables; README lists them.
`

/** Runs one command. Each module is loaded only where it is needed: the doctor needs no service. */
export async function run([name = 'serve', ...words]: string[]): Promise<void> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command && (await command(words))) return
  process.stderr.write(USAGE)
  process.exitCode = 1
}

/** Each takes the words behind its name; false where they are not understood. */
const commands: Record<string, (words: string[]) => Promise<boolean> | boolean> = {
  async serve(words) {
    if (words.length > 0) return false
    const { serveProcess } = await import('./commands/serve.js')
    await serveProcess(process.env)
    return true
  },
  async doctor(words) {
    const json = jsonOption(words)
    if (json === undefined) return false
    const { diagnose } = await import('./commands/doctor.js')
    await diagnose(process.env, json)
    return true
  },
  async check(words) {
    if (words.length > 0) return false
    const { check } = await import('./commands/check.js')
    await check(process.env)
    return true
  },
  async keygen(words) {
    const { keygen } = await import('./commands/keygen.js')
    keygen(words)
    return true
  },
  async '--version'() {
    const { version } = await import('./version.js')
    process.stdout.write(`${version}\n`)
    return true
  },
  '--help': help,
  '-h': help,
}

function help(): boolean {
  process.stdout.write(USAGE)
  return true
}

function jsonOption(words: string[]): boolean | undefined {
  try {
    return parseArgs({ args: words, options: { json: { type: 'boolean' } } }).values.json ?? false
  } catch {
    return undefined
  }
}
