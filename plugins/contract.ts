import { readFile } from 'node:fs/promises'
import plugin from 'fastify-plugin'
import type { OpenAPIV3_1 } from 'openapi-types'
import { parse } from 'yaml'

declare module 'fastify' {
  interface FastifyInstance {
    contract: Contract
  }
}

export interface Contract {
  /** openapi.yaml as it was written. */
  yaml: string
  document: OpenAPIV3_1.Document
}

const FILE = new URL('../openapi.yaml', import.meta.url)

/** The contract is the only place where shapes are written; routes point into it, e.g. `openapi#/components/schemas/Session`. */
export default plugin(
  async (app) => {
    const yaml = await readFile(FILE, 'utf8')
    const document = parse(yaml) as OpenAPIV3_1.Document
    app.decorate('contract', { yaml, document })
    app.addSchema({ $id: 'openapi', components: { schemas: document.components?.schemas } })
  },
  { name: 'contract' },
)
