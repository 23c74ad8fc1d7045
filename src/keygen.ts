import { keyDigest, makeKey } from './callers/keys.js'
import { isCallerName } from './config/callers.js'

const [name = '', ...rest] = process.argv.slice(2)
const usage = `Usage: npm run keygen -- NAME

NAME says who the key is for: 1 to 64 letters, digits, dots, underscores or hyphens, a letter or digit first, e.g. billing.
`

if (name === '--help' || name === '-h') {
  process.stdout.write(usage)
} else if (!isCallerName(name) || rest.length > 0) {
  process.stderr.write(usage)
  process.exitCode = 1
} else {
  const key = makeKey()
  process.stdout.write(`The key of ${name}. It is shown this once and stored nowhere: hand it over safely.

  ${key}

The entry for CALLER_KEYS, or for the file that CALLER_KEYS_FILE names. It does not give the key away.

  ${name}:${keyDigest(key)}
`)
}
