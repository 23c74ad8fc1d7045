import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import plugin from 'fastify-plugin'
import type { OpenAPIV3_1 } from 'openapi-types'
import { parse } from 'yaml'

declare module 'fastify' {
  interface FastifyInstance {
    contract: Contract
  }
}

export interface Contract {
  path: string
  /** openapi.yaml as it was written. */
  yaml: string
  document: OpenAPIV3_1.Document
}

const PATH = fileURLToPath(new URL('../openapi.yaml', import.meta.url))

/** The contract is the only place where shapes are written; routes point into it, e.g. `openapi#/components/schemas/Session`. */
export default plugin(
  async (app) => {
    const yaml = await readFile(PATH, 'utf8')
    const document = parse(yaml) as OpenAPIV3_1.Document
    app.decorate('contract', { path: PATH, yaml, document })
    app.addSchema({ $id: 'openapi', components: { schemas: document.components?.schemas } })
  },
  { name: 'contract' },
)
