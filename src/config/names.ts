import leven from 'leven'
import { isVariable, secretNames, variables } from './variables.js'

/** The names that are set and that this service does not know although they look like its own. */
export function nameWarnings(names: string[]): string[] {
  return names
    .filter((name) => !ours.includes(name) && !isVariable(name) && !ofOthers.test(name))
    .flatMap((name) => {
      const meant = meantBy(name)
      if (meant.length > 0)
        return [`${name} is not a variable of this service; did you mean ${meant.join(' or ')}?`]
      return OUR_PREFIX.test(name) && !isOfKubernetes(name)
        ? [`${name} is not a variable of this service`]
        : []
    })
}

const ours = [...Object.keys(variables), ...secretNames.map((name) => `${name}_FILE`)]
const OUR_PREFIX = /^(ZENDESK|CALLER|JWT|CORS)_/i
/** Well-known names that are near to one of ours. ALL_PROXY has a warning of its own. */
const ofOthers = /^((all|ftp|no|https?)_proxy|SSL_CERT_(FILE|DIR))$/i

/** What Kubernetes makes of the Services in a namespace. */
function isOfKubernetes(name: string): boolean {
  return /_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_.*)?)$/.test(name)
}

/** Names of few letters are left out, unless they differ in nothing but their writing: HOME is no misspelled HOST. */
function meantBy(name: string): string[] {
  const written = name.trim().toUpperCase().replace(/\W/g, '_')
  if (written !== name && written.length >= 8 && ours.includes(written)) return [written]
  if (written.length < 8) return []
  const near = ours.filter((our) => distance(written, our) <= 2)
  if (near.length > 0) return nearest(written, near)
  return Object.keys(variables).filter((our) => isShortFor(written, our))
}

function nearest(name: string, candidates: string[]): string[] {
  const least = Math.min(...candidates.map((our) => distance(name, our)))
  return candidates.filter((our) => distance(name, our) === least).slice(0, 1)
}

/** Also without the endings in which words differ most: TRUSTED_PROXIES is TRUST_PROXY. */
function distance(name: string, our: string): number {
  return Math.min(leven(name, our), stemmed(name) === stemmed(our) ? 0 : Infinity)
}

function stemmed(name: string): string {
  return name
    .split('_')
    .map((word) => word.replace(/IES$/, 'Y').replace(/(ED|S)$/, ''))
    .join('_')
}

/** The same words with some left out, such as ZENDESK_TIMEOUT and ZENDESK_CLIENT_ID. The first one says whose it is. */
function isShortFor(name: string, our: string): boolean {
  const [first, ...words] = name.split('_')
  const [ourFirst, ...ourWords] = our.split('_')
  let from = 0
  const inOrder = words.every((word) => {
    from = ourWords.indexOf(word, from) + 1
    return from > 0
  })
  return first === ourFirst && first !== 'REDIS' && first !== 'OTEL' && first !== 'NODE' && inOrder
}
