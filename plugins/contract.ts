import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import plugin from 'fastify-plugin'
import type { OpenAPIV3_1 } from 'openapi-types'

declare module 'fastify' {
  interface FastifyInstance {
    contract: Contract
  }
}

export interface Contract {
  /** openapi.yaml as it was written, with PUBLIC_URL as its server where that is set. */
  yaml: string
  /** The same as JSON. */
  json: string
}

const YAML_FILE = new URL('../openapi.yaml', import.meta.url)
/** Made of it by the build, since to parse YAML would take a quarter of the start. */
const JSON_FILE = new URL('../openapi.json', import.meta.url)

/** The contract is the only place where shapes are written; routes point into it, e.g. `openapi#/components/schemas/Session`. */
export default plugin(
  async (app) => {
    const yaml = await readFile(YAML_FILE, 'utf8')
    const document = (await parse(yaml)) as OpenAPIV3_1.Document
    app.decorate('contract', publish(yaml, document, app.config.publicUrl))
    app.addSchema({ $id: 'openapi', components: { schemas: document.components?.schemas } })
  },
  { name: 'contract' },
)

/** Importers such as Postman take the address of the service from here. */
function publish(yaml: string, document: OpenAPIV3_1.Document, publicUrl: string): Contract {
  if (publicUrl === '') return { yaml, json: JSON.stringify(document) }
  const [server, ...others] = document.servers ?? []
  const servers = [{ ...server, url: publicUrl }, ...others]
  return {
    // In place, so that comments and order stay as they were written.
    yaml: yaml.replace(
      /^(servers:\n {2}- url: ).*/m,
      (_, before: string) => before + JSON.stringify(publicUrl),
    ),
    json: JSON.stringify({ ...document, servers }),
  }
}

async function parse(yaml: string): Promise<unknown> {
  if (existsSync(JSON_FILE)) return JSON.parse(await readFile(JSON_FILE, 'utf8'))
  const { parse } = await import('yaml')
  return parse(yaml)
}
