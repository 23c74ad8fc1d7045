import env from '@fastify/env'
import Fastify from 'fastify'
import { settle, type Config } from './config.js'
import { correctionOf } from './corrections.js'
import { withProxyNamesInCapitals } from './forward-proxies.js'
import { Faults } from './faults.js'
import { nodeWarnings } from './node-version.js'
import { oddityOf } from './oddities.js'
import { environmentSchema, isOfAnyCase, isVariable, variables, type Environment } from './variables.js'

declare module 'fastify' {
  interface FastifyInstance {
    config: Config
  }
}

/**
 * Reads and checks the environment, once; everybody else reads `app.config`. An empty variable counts as unset.
 * @throws {ConfigError} that names everything at fault.
 */
export async function readConfig(
  environment: NodeJS.ProcessEnv,
  nodeVersion = process.version,
): Promise<Config> {
  const named = withProxyNamesInCapitals(environment)
  const given: Record<string, string> = {}
  const faults = new Faults((name) => correctionOf(name, given[name] ?? ''))
  for (const name of givenNames(named)) {
    const value = named[name] ?? ''
    if (isOfService(name, value)) faults.suspect(name, OF_SERVICE)
    else given[name] = isOfAnyCase(name) ? value.toLowerCase() : value
  }
  lookAt(given, faults)
  const config = settle(await readEnvironment(given, faults), faults, Object.keys(given))
  return { ...config, warnings: [...nodeWarnings(nodeVersion), ...config.warnings] }
}

/** Kubernetes sets METRICS_PORT where a Service is called "metrics". */
function isOfService(name: string, value: string): boolean {
  return name === 'METRICS_PORT' && /^(tcp|udp|sctp):\/\//.test(value)
}

const OF_SERVICE =
  'counts as unset, since Kubernetes made its value for a Service named "metrics"; set enableServiceLinks: false'

function lookAt(given: Record<string, string>, faults: Faults): void {
  for (const [name, value] of Object.entries(given)) {
    const oddity = isVariable(name) ? oddityOf(name, value) : undefined
    if (oddity !== undefined) faults.suspect(name, oddity)
  }
}

/** Those that are set to something. */
export function givenNames(environment: NodeJS.ProcessEnv): string[] {
  return Object.keys(environment).filter((name) => (environment[name] ?? '') !== '')
}

/** The variables by type. Those that are malformed become faults and count as unset, so that the others are looked at too. */
async function readEnvironment(given: Record<string, string>, faults: Faults): Promise<Environment> {
  const readable = setAside(Object.keys(given).filter(isOddInteger(given)), given, faults)
  try {
    return await coerce(readable)
  } catch (error) {
    return coerce(setAside(malformedNames(error), readable, faults))
  }
}

function setAside(names: string[], given: Record<string, string>, faults: Faults): Record<string, string> {
  for (const name of names)
    faults.add([name], isVariable(name) ? variables[name].should : 'the path of a file')
  return Object.fromEntries(Object.entries(given).filter(([name]) => !names.includes(name)))
}

/** Ajv takes whatever JavaScript takes for a number: Infinity, 1e999, 0x10. */
function isOddInteger(given: Record<string, string>): (name: string) => boolean {
  return (name) =>
    isVariable(name) && variables[name].type === 'integer' && !/^\d{1,9}$/.test(given[name] ?? '')
}

async function coerce(data: Record<string, string>): Promise<Environment> {
  // An instance of its own: Fastify's options depend on the configuration, and a failed plugin would fail the service's.
  const reader = Fastify()
  await reader.register(env, {
    confKey: 'environment',
    schema: environmentSchema,
    data,
    env: false,
    dotenv: false,
  })
  return reader.getDecorator<Environment>('environment')
}

/** From Ajv's errors. Their messages are not used: they speak of schemas and may quote a value. */
function malformedNames(error: unknown): string[] {
  const errors: unknown = error instanceof Error && 'errors' in error ? error.errors : undefined
  if (!Array.isArray(errors)) throw error
  return errors.map((each: { instancePath: string }) => each.instancePath.slice(1))
}
