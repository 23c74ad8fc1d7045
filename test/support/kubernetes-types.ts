import { resolve } from 'node:path'
import ts from 'typescript'

interface Manifest {
  apiVersion: string
  kind: string
}

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
}
const FILE = resolve('test/manifests.ts')

/** The package kubernetes-types holds the published OpenAPI schemas of Kubernetes as types. */
export function haveKubernetesTypes(): boolean {
  return ts.resolveModuleName('kubernetes-types/core/v1', FILE, OPTIONS, ts.sys).resolvedModule !== undefined
}

/** What the compiler says of each manifest as a literal of its type: unknown, missing and mistyped fields. */
export function violations(manifests: Manifest[]): string[][] {
  const source = manifests
    .map((each, index) => {
      const type = `import('kubernetes-types/${moduleOf(each)}').${each.kind}`
      return `export const manifest${index}: ${type} = ${JSON.stringify(each)}`
    })
    .join('\n')
  const host = ts.createCompilerHost(OPTIONS)
  const program = ts.createProgram([FILE], OPTIONS, {
    ...host,
    fileExists: (name) => name === FILE || host.fileExists(name),
    getSourceFile: (name, target) =>
      name === FILE ? ts.createSourceFile(name, source, target) : host.getSourceFile(name, target),
  })
  const found: string[][] = manifests.map(() => [])
  for (const { file, start = 0, messageText } of ts.getPreEmitDiagnostics(program)) {
    const text = ts.flattenDiagnosticMessageText(messageText, '\n')
    // Each manifest has a line of its own; what belongs to no line belongs to all.
    const line = file?.fileName === FILE ? file.getLineAndCharacterOfPosition(start).line : undefined
    for (const list of line === undefined ? found : found.slice(line, line + 1)) list.push(text)
  }
  return found
}

/** apps/v1 is itself, v1 is core/v1, networking.k8s.io/v1 is networking/v1. */
function moduleOf({ apiVersion }: Manifest): string {
  return apiVersion.includes('/') ? apiVersion.replace('.k8s.io', '') : `core/${apiVersion}`
}
