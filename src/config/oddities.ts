import { isSecret } from './variables.js'

/** What in a value is probably a mistake, without showing the value; undefined where nothing is. */
export function oddityOf(name: string, value: string): string | undefined {
  const mayEndInNewline = LISTS.includes(name.replace(/_FILE$/, ''))
  const found = [
    ...oddities.filter(([pattern]) => pattern.test(value)).map(([, oddity]) => oddity),
    ...(/\n/.test(value) && !mayEndInNewline ? ['the value contains a line break'] : []),
    ...ofThisVariable(name, value),
  ]
  return found.length === 0 ? undefined : found.join('; ')
}

/** Their entries may be on lines of their own. */
const LISTS = ['CALLER_KEYS', 'CORS_ORIGINS', 'TRUST_PROXY', 'NO_PROXY', 'JWT_ISSUER', 'JWT_AUDIENCE']

const oddities: [pattern: RegExp, oddity: string][] = [
  [/^\s*["'`“”‘’„«].*["'`“”‘’»]\s*$/s, 'the value is in quotation marks: remove them'],
  [/\r\s*$/, 'the value ends with a carriage return: save the file with Unix line endings'],
  [/^[^\S\r\n]/, 'the value begins with a blank: remove it'],
  [/[^\S\r\n][\r\n]*$/, 'the value ends with a blank: remove it'],
  [/\s#/, 'the value contains " #": remove the comment'],
  [/\$\{[^}]*\}|\$\([^)]*\)|^\$[A-Z_][A-Z\d_]*$/, 'the value contains ${…} or $(…), which was not expanded'],
  [/\{\{.*\}\}|^<.*>$/s, 'the value is a template or placeholder that was not filled in'],
  // Control and format characters, but not those that the lines above name.
  [/[^\P{C}\s]|\ufeff/u, 'the value contains an invisible character: remove it'],
]

function ofThisVariable(name: string, value: string): string[] {
  const found: string[] = []
  if (value.replace(/^export\s+/, '').startsWith(`${name}=`)) found.push('the value begins with the name')
  if (!isSecret(name)) return found
  if (/^Bearer\s/i.test(value)) found.push('the value begins with the word Bearer: remove it')
  if (/^\/[\w.-]+(\/[\w.-]+)+$/.test(value))
    found.push(`the value looks like the path of a file: use ${name}_FILE`)
  if (name !== 'CALLER_KEYS' && holdsPair(value))
    found.push('the value holds the e-mail address and /token too: give the token alone')
  return found
}

/** `email/token:token`, as it stands in requests, plain or in base64. */
function holdsPair(value: string): boolean {
  return `${value}\n${Buffer.from(value, 'base64').toString('latin1')}`.includes('/token:')
}
