import { spawnSync } from 'node:child_process'

/** For the options of a test. With REQUIRE_TOOLS=1 a missing program fails it. */
export function toolOrSkip(command: string, ...versionFlag: string[]): { skip: string | false } {
  const missing = spawnSync(command, versionFlag).status !== 0
  const required = process.env['REQUIRE_TOOLS'] === '1'
  return { skip: missing && !required ? `${command} is not installed` : false }
}

/** The same for a program that has no harmless option: whether it is on the path, or where Debian puts servers. */
export function programOrSkip(command: string, requiredBy: string): { skip: string | false } {
  const found = spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${command}`]).status === 0
  const required = process.env[requiredBy] === '1'
  return { skip: !found && !required ? `${command} is not installed` : false }
}
