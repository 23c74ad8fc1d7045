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

/** What the compiler says of the manifests as literals of those types: unknown, missing and mistyped fields. */
export function complaints(manifests: Manifest[]): string[] {
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
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

/** apps/v1 is itself, v1 is core/v1, networking.k8s.io/v1 is networking/v1. */
function moduleOf({ apiVersion }: Manifest): string {
  return apiVersion.includes('/') ? apiVersion.replace('.k8s.io', '') : `core/${apiVersion}`
}
