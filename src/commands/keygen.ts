import { keyDigest, makeKey } from '../callers/keys.js'
import { isCallerName } from '../config/callers.js'

const USAGE = `Usage: zendesk-session-proxy keygen NAME

NAME tells whose key it is: 1 to 64 letters, digits, dots, underscores or hyphens, starting with a letter or digit,
e.g. billing.
`

/** Makes a key for a caller and prints it with the entry for CALLER_KEYS. */
export function keygen([name = '', ...rest]: string[]): void {
  if (name === '--help' || name === '-h') {
    process.stdout.write(USAGE)
  } else if (!isCallerName(name) || rest.length > 0) {
    process.stderr.write(USAGE)
    process.exitCode = 1
  } else {
    const key = makeKey()
    process.stdout
      .write(`The key for ${name}. Copy it now: it is shown only once and is not stored. Send it over a safe channel.

  ${key}

The entry for CALLER_KEYS, or for the file that CALLER_KEYS_FILE names. It does not reveal the key.

  ${name}:${keyDigest(key)}
`)
  }
}
