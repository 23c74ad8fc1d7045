import { examine } from './doctor/examine.js'
import { report } from './doctor/report.js'
import { placeOf } from './error-place.js'

// Whoever reads the output may have seen enough, as head has. How it stands is not known then, so it is not 0.
process.stdout.on('error', () => process.exit(1))

/** For the operator: is this environment fit for the service, and does Zendesk accept what it holds? Exit code 0 if so. */
try {
  const well = await report(examine(process.env), process.stdout)
  // At once: a name that is still being looked up would hold the process for half a minute.
  process.exit(well ? 0 : 1)
} catch (error) {
  const { error: name, errorCode, frames } = placeOf(error)
  process.stderr.write(`The doctor failed: ${errorCode ?? name}, a bug.\n${frames?.join('\n') ?? ''}\n`)
  process.exit(1)
}
