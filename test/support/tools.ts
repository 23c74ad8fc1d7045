import { spawnSync } from 'node:child_process'

/** For the options of a test. Where `requiredBy` is 1 in the environment, a missing program fails the test. */
export function toolOrSkip(command: string, requiredBy = 'REQUIRE_TOOLS'): { skip: string | false } {
  // Not started, since a JVM costs half a second; Debian keeps servers in /usr/sbin.
  const found = spawnSync('sh', ['-c', 'PATH=$PATH:/usr/sbin command -v "$1"', 'sh', command]).status === 0
  const required = process.env[requiredBy] === '1'
  return { skip: !found && !required ? `${command} is not installed` : false }
}
