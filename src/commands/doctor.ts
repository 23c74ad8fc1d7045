import { examine } from '../doctor/examine.js'
import { report } from '../doctor/report.js'
import { placeOf } from '../log/error-place.js'

/** For the operator: can the service run with this environment, and does Zendesk accept its credentials? Exit code 0 if so. */
export async function diagnose(environment: NodeJS.ProcessEnv, asJson: boolean): Promise<void> {
  // The reader may have seen enough, as `head` has. The result is not known then, so the exit code is not 0.
  process.stdout.on('error', () => process.exit(1))
  try {
    const ready = await report(examine(environment), process.stdout, asJson)
    // At once: a name that is still being looked up would hold the process for half a minute.
    process.exit(ready ? 0 : 1)
  } catch (error) {
    const { error: name, errorCode, frames } = placeOf(error)
    process.stderr.write(
      `The doctor failed: ${errorCode ?? name}. This is a bug.\n${frames?.join('\n') ?? ''}\n`,
    )
    process.exit(1)
  }
}
