import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readConfig } from '../src/config/read.js'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { haveKubernetesTypes, violations } from './support/kubernetes-types.js'

const BASE = 'deploy/kubernetes'
const { resources } = parse(text('kustomization.yaml')) as { resources: string[] }
const manifests = resources.map((file) => parse(text(file)) as Manifest)
const pod = manifest('Deployment').spec?.template.spec
const variables = Object.fromEntries(
  text('variables.env')
    .split('\n')
    .filter((line) => /^\w+=/.test(line))
    .map((line) => line.split('=') as [string, string]),
)

const noTypes = !haveKubernetesTypes() && 'the package kubernetes-types is not installed'
t.test('every manifest has the shape that Kubernetes publishes', { skip: noTypes }, (t) => {
  const misspelt = manifests.map((each) => ({ ...each, misspelt: true }))
  // The compiler runs once for all, since it spends most of its time on the types of Kubernetes.
  const found = violations([...manifests, ...misspelt])
  t.strictSame(found.slice(0, manifests.length).flat(), [])
  for (const [text, ...others] of found.slice(manifests.length)) {
    t.match(text, 'misspelt', 'a misspelt field is noticed')
    t.same(others, [])
  }
  t.equal(found.length, 2 * manifests.length)
  t.end()
})

const noKubectl = spawnSync('kubectl', ['version', '--client']).error && 'kubectl is not installed'
t.test('kustomize assembles the base', { skip: noKubectl ?? false }, (t) => {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', BASE], { encoding: 'utf8' })
  t.equal(status, 0, stderr)
  t.match(stdout, /configMapRef:\s+name: zendesk-session-proxy-\w{10}\n/, 'a new variable is a new rollout')
  t.match(stdout, /image: zendesk-session-proxy:\d+\.\d+\.\d+\n/)
  t.end()
})

t.test('the service starts with the variables and files of a replica', async (t) => {
  const secrets = t.testdir({
    'oauth-client-secret': 'fake-client-secret\n',
    'caller-keys': `billing:${'ab'.repeat(32)}\n`,
    'redis-url': 'redis://redis:6379\n',
  })
  const files = pod?.containers.flatMap(({ env }) => env) ?? []
  const config = await readConfig({
    ...variables,
    ZENDESK_SUBDOMAIN: 'acme',
    ZENDESK_OAUTH_CLIENT_ID: 'fake-client',
    ...Object.fromEntries(
      files.map(({ name, value }) => [name, value.replace('/etc/zendesk-session-proxy', secrets)]),
    ),
  })
  t.equal(files.length, 3)
  t.equal(config.zendeskCredentials.secret.reveal(), 'fake-client-secret')
  t.ok(config.callerSchemes.keys)
  t.ok(config.redis)
  t.match(pod, {
    volumes: [{ name: 'secrets', secret: { secretName: 'zendesk-session-proxy' } }],
    containers: [
      { volumeMounts: [{ name: 'secrets', mountPath: '/etc/zendesk-session-proxy', subPath: undefined }] },
    ],
  })
  const ports = pod?.containers[0]?.ports
  t.strictSame(ports, [
    { name: 'http', containerPort: config.PORT },
    { name: 'metrics', containerPort: config.METRICS_PORT },
  ])
  const { SHUTDOWN_DELAY_MS, SHUTDOWN_GRACE_MS } = config
  t.ok((pod?.terminationGracePeriodSeconds ?? 0) * 1000 > SHUTDOWN_DELAY_MS + SHUTDOWN_GRACE_MS)
})

t.test('the guide leads to replicas that start', { skip: noKubectl ?? false }, async (t) => {
  const [overlay, ...additions] = overlaysOfGuide()
  t.equal(additions.length, 2)
  const [withKeys, jwtOnly] = [[], additions.filter((each) => 'configMapGenerator' in each)].map((more) =>
    environmentOf(assemble(t, [overlay ?? {}, ...more])),
  )
  const files = {
    ZENDESK_OAUTH_CLIENT_SECRET_FILE: 'fake-client-secret',
    REDIS_URL_FILE: 'redis://redis:6379',
  }
  const keys = { ...files, CALLER_KEYS_FILE: `billing:${'ab'.repeat(32)}` }
  const asConfigured = await readConfig({ ...withKeys, ...filled(t, withKeys, keys) })
  t.ok(asConfigured.callerSchemes.keys)
  t.equal(asConfigured.callerSchemes.jwt, undefined)
  const asPatched = await readConfig({ ...jwtOnly, ...filled(t, jwtOnly, files) })
  t.equal(asPatched.callerSchemes.keys, undefined)
  t.match(asPatched.callerSchemes.jwt, {
    issuers: ['https://login.example.com/'],
    audiences: ['https://sessions.example.com'],
  })

  const ownSecret = assemble(t, [
    overlay ?? {},
    ...additions.filter((each) => !('configMapGenerator' in each)),
  ])
  const { volumes } = ownSecret.find(({ kind }) => kind === 'Deployment')?.spec?.template.spec ?? {}
  t.match(volumes, [{ secret: { secretName: 'zendesk-session-proxy-2' } }])
})

t.test('a replica has no right that it does not need', (t) => {
  t.match(pod, {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      },
    ],
  })
  for (const right of ['hostNetwork', 'hostPID', 'hostIPC', 'hostPath', 'privileged'])
    t.notMatch(JSON.stringify(pod), right)
  t.notMatch(resources.map(text).join(), /^kind: Secret$/m, 'no secret is kept with the manifests')
  t.end()
})

t.test('all manifests mean the same pods', (t) => {
  const labels = { 'app.kubernetes.io/name': 'zendesk-session-proxy' }
  t.match(manifest('Deployment'), {
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels } },
      strategy: { rollingUpdate: { maxUnavailable: 0 } },
    },
  })
  t.match(manifest('Service'), { spec: { selector: labels, ports: [{ targetPort: 'http' }] } })
  t.match(manifest('PodDisruptionBudget'), { spec: { selector: { matchLabels: labels } } })
  t.match(manifest('NetworkPolicy'), { spec: { podSelector: { matchLabels: labels } } })
  t.match(manifest('HorizontalPodAutoscaler'), {
    spec: {
      minReplicas: 2,
      scaleTargetRef: { kind: 'Deployment', name: manifest('Deployment').metadata.name },
    },
  })
  t.match(pod, { serviceAccountName: manifest('ServiceAccount').metadata.name })
  t.end()
})

interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string }
  data?: Record<string, string>
  spec?: { template: { spec: PodSpec } }
}

type Kustomization = Record<string, unknown>

interface PodSpec {
  terminationGracePeriodSeconds: number
  volumes: object[]
  containers: { env: { name: string; value: string }[]; ports: object[] }[]
}

/** The kustomization of the guides, and what they add to it here and there. */
function overlaysOfGuide(): Kustomization[] {
  const guides = ['docs/deploying.md', 'docs/operating.md'].map((page) => readFileSync(page, 'utf8'))
  const blocks = guides.join('\n').matchAll(/^```yaml\n(# (?:in your )?kustomization\.yaml\n.*?)^```/gms)
  return [...blocks].map(([, yaml = '']) => parse(yaml) as Kustomization)
}

/** What kubectl makes of the base and all of these together. */
function assemble(t: Test, overlays: Kustomization[]): Manifest[] {
  const whole: Kustomization = {}
  for (const [key, value] of overlays.flatMap((each) => Object.entries(each)))
    whole[key] = Array.isArray(value)
      ? [...((whole[key] as unknown[] | undefined) ?? []), ...(value as unknown[])]
      : value
  const folder = t.testdir()
  cpSync(BASE, join(folder, 'deploy/kubernetes'), { recursive: true })
  mkdirSync(join(folder, 'overlay'))
  writeFileSync(join(folder, 'overlay/kustomization.yaml'), stringify(whole))
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', join(folder, 'overlay')], {
    encoding: 'utf8',
  })
  t.equal(status, 0, stderr)
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest)
}

function environmentOf(assembled: Manifest[]): Record<string, string> {
  const configMap = assembled.find(({ kind }) => kind === 'ConfigMap')
  const deployment = assembled.find(({ kind }) => kind === 'Deployment')
  const files = deployment?.spec?.template.spec.containers.flatMap(({ env }) => env) ?? []
  return { ...configMap?.data, ...Object.fromEntries(files.map(({ name, value }) => [name, value])) }
}

/** The variables that name files, leading to files with these contents. */
function filled(t: Test, environment: Record<string, string> | undefined, contents: Record<string, string>) {
  const names = Object.keys(environment ?? {}).filter((name) => name.endsWith('_FILE'))
  t.same(names.sort(), Object.keys(contents).sort())
  const folder = t.testdir(contents)
  return Object.fromEntries(names.map((name) => [name, join(folder, name)]))
}

function manifest(kind: string): Manifest {
  const found = manifests.find((each) => each.kind === kind)
  if (!found) throw new Error(`there is no ${kind} in ${BASE}`)
  return found
}

function text(file: string): string {
  return readFileSync(join(BASE, file), 'utf8')
}
