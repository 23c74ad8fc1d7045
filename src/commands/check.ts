import { ConfigError } from '../config/faults.js'
import { readConfig } from '../config/read.js'

/** Reads and judges the configuration as a start would, without the network. Exit code 0 if the service could start with it. */
export async function check(environment: NodeJS.ProcessEnv): Promise<void> {
  try {
    const config = await readConfig(environment)
    const warnings = config.warnings
    process.stdout.write(warnings.map((warning) => `warning: ${warning}\n`).join(''))
    process.stdout.write('The configuration is valid.\n')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  }
}
