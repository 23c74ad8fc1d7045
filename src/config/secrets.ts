import { Secret, SecretError, SecretFileError } from '../secret.js'
import type { Faults } from './faults.js'
import { oddityOf } from './oddities.js'
import { variables, type Environment, type SecretName } from './variables.js'

/** The secret `NAME` from the variable or from the file that NAME_FILE names; undefined where neither is set or it is bad. */
export function readSecret<T>(
  name: SecretName,
  environment: Environment,
  faults: Faults,
  understand: (text: string) => T,
): Secret<T> | undefined {
  const text = environment[name]
  const path = environment[`${name}_FILE`]
  if (text !== undefined && path !== undefined) {
    faults.say([name, `${name}_FILE`], `Set ${name} or ${name}_FILE, not both.`)
    return undefined
  }
  const fromFile = (content: string): T => {
    const oddity = oddityOf(name, content)
    if (oddity !== undefined) faults.suspect(`${name}_FILE`, oddity)
    return understand(content)
  }
  try {
    if (path !== undefined) return new Secret(name, { path }, fromFile)
    if (text !== undefined) return new Secret(name, { text }, understand)
  } catch (error) {
    if (!(error instanceof SecretError)) throw error
    if (path === undefined) faults.add([name], error.message)
    else faults.add([`${name}_FILE`], `the path of ${aboutFile(error)}`)
  }
  return undefined
}

/** Some is wrong with the file itself, some with what is in it. */
function aboutFile(error: SecretError): string {
  return error instanceof SecretFileError ? error.message : `a file that holds ${error.message}`
}

/** What goes into an Authorization header as it is: RFC 6750, section 2.1. */
export function bearerToken(value: string): string {
  if (!/^[\w.~+/-]+=*$/.test(value))
    throw new SecretError(`${variables.ZENDESK_OAUTH_TOKEN.should}, in one line without spaces`)
  return value
}

/** One line with something in it. Blanks at its ends may be meant, but not the mark with which some editors begin a file. */
export function oneLine(value: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (value.trim() === '' || /^\ufeff|[\x00-\x1f\x7f]/.test(value))
    throw new SecretError('one line of text, not empty')
  return value
}
