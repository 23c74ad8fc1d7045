import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readConfig } from '../src/config/read.js'
import { secretNames } from '../src/config/variables.js'
import { until } from './support/fixtures.js'
import { ask, startService, startZendesk, type Service } from './support/helper.js'
import { SANDBOX_CREDENTIALS, type SandboxCredentials, type SandboxZendesk } from './sandbox/zendesk.js'

interface SecretKind {
  variable: string
  field: keyof SandboxCredentials
  companions: (credentials: SandboxCredentials) => NodeJS.ProcessEnv
}

const bearer: SecretKind = {
  variable: 'ZENDESK_OAUTH_TOKEN_FILE',
  field: 'bearerToken',
  companions: () => ({}),
}

const clientSecret: SecretKind = {
  variable: 'ZENDESK_OAUTH_CLIENT_SECRET_FILE',
  field: 'clientSecret',
  companions: ({ clientId }) => ({ ZENDESK_OAUTH_CLIENT_ID: clientId }),
}

const KINDS: SecretKind[] = [
  clientSecret,
  bearer,
  {
    variable: 'ZENDESK_API_TOKEN_FILE',
    field: 'apiToken',
    companions: ({ email }) => ({ ZENDESK_EMAIL: email }),
  },
  {
    variable: 'ZENDESK_PASSWORD_FILE',
    field: 'password',
    companions: ({ email }) => ({ ZENDESK_EMAIL: email }),
  },
]

for (const kind of KINDS) {
  for (const mount of [plainFile, kubernetesVolume]) {
    t.test(`${kind.variable} as a ${mount.name}: rotated under load, and no call fails`, async (t) => {
      const { zendesk } = await startZendesk(t, { limitPerMinute: 1_000_000 })
      const { path, replace } = mount(t, zendesk.credentials[kind.field])
      const { url } = await startWithFile(t, zendesk, kind, path)
      const statuses: number[] = []
      let over = false
      const callers = Array.from({ length: 4 }, async () => {
        while (!over) statuses.push((await ask(`${url}/session/renew`)).status)
      })
      for (const round of [1, 2, 3]) {
        const served = zendesk.renewals().length + 5
        await until('calls go on', () => zendesk.renewals().length > served)
        // Both in one turn of the event loop, as though at the same moment; calls are under way.
        replace(`sandbox-rotated-${round}-not-a-secret`)
        zendesk.credentials[kind.field] = `sandbox-rotated-${round}-not-a-secret`
        zendesk.revokeTokens()
      }
      const served = statuses.length + 5
      await until('calls go on with the last value', () => statuses.length > served)
      over = true
      await Promise.all(callers)
      t.same(new Set(statuses), new Set([200]), `${statuses.length} calls`)
    })
  }
}

t.test('a new value is taken over without a call that fails first', async (t) => {
  for (const mount of [plainFile, kubernetesVolume]) {
    const { zendesk } = await startZendesk(t)
    const { path, replace } = mount(t, zendesk.credentials.bearerToken)
    const { url, log } = await startWithFile(t, zendesk, bearer, path)
    for (const value of ['sandbox-second-not-a-secret', 'sandbox-third-not-a-secret']) {
      log.length = 0
      replace(`${value}\n`)
      await until('the file is read', () => log.some(({ msg }) => /new value in use/.test(String(msg))))
      zendesk.credentials.bearerToken = value
      t.equal((await ask(`${url}/session/renew`)).status, 200, mount.name)
      t.notOk(JSON.stringify(log).includes(value))
    }
    t.same(new Set(zendesk.renewals().map(({ status }) => status)), new Set([200]))
  }
})

t.test('a changed secret is tried at once, however often the one before was refused', async (t) => {
  for (const kind of KINDS) {
    const { zendesk } = await startZendesk(t)
    const { path, replace } = plainFile(t, 'sandbox-wrong-not-a-secret')
    const { url, log } = await startWithFile(t, zendesk, kind, path)
    const { requests } = zendesk
    await until('it was refused three times', async () => {
      t.equal((await ask(`${url}/session/renew`)).body?.['code'], 'zendesk-credentials-rejected')
      return requests.length >= 3
    })
    replace(zendesk.credentials[kind.field])
    await until('the file is read', () => log.some(({ msg }) => /new value in use/.test(String(msg))))
    t.equal((await ask(`${url}/session/renew`)).status, 200, kind.variable)
    t.equal(requests.length, kind === clientSecret ? 5 : 4, 'and not before')
  }
})

t.test('a client secret that was rotated a moment ago is good for the first token already', async (t) => {
  for (const mount of [plainFile, kubernetesVolume]) {
    const { zendesk } = await startZendesk(t)
    const { path, replace } = mount(t, zendesk.credentials.clientSecret)
    const { url } = await startWithFile(t, zendesk, clientSecret, path)
    replace('sandbox-second-not-a-secret')
    zendesk.credentials.clientSecret = 'sandbox-second-not-a-secret'
    t.equal((await ask(`${url}/session/renew`)).status, 200, mount.name)
    t.equal(zendesk.tokenRequests().at(-1)?.status, 201)
  }
})

t.test('a bad new value is logged, and the last good one kept', async (t) => {
  const { zendesk } = await startZendesk(t)
  const { path, replace } = plainFile(t, zendesk.credentials.bearerToken)
  const { url, log } = await startWithFile(t, zendesk, bearer, path)
  for (const bad of ['', 'sandbox-one-not-a-secret\nsandbox-two-not-a-secret\n', 'two words']) {
    log.length = 0
    replace(bad)
    const complaint = () => log.find(({ msg }) => /value is bad/.test(String(msg)))
    await until('it is logged', complaint)
    t.match(complaint(), { level: 50, secret: 'ZENDESK_OAUTH_TOKEN' })
    t.notMatch(JSON.stringify(log), /sandbox-(one|two)|two words/)
    t.equal((await ask(`${url}/session/renew`)).status, 200)
  }
  log.length = 0
  rmSync(path)
  await until('it is logged', () => log.some(({ msg }) => /value is bad/.test(String(msg))))
  t.equal((await ask(`${url}/session/renew`)).status, 200, 'even without the file')

  replace('sandbox-good-not-a-secret')
  await until('it is read', () => log.some(({ msg }) => /new value in use/.test(String(msg))))
  zendesk.credentials.bearerToken = 'sandbox-good-not-a-secret'
  t.equal((await ask(`${url}/session/renew`)).status, 200)
})

t.test(
  'a bad file shows in the metrics until it is good again, even with the value that was kept',
  async (t) => {
    const { zendesk, environment } = await startZendesk(t)
    const digests = ['ab', 'cd'].map((byte) => `shop:${byte.repeat(32)}`)
    const { path, replace } = plainFile(t, digests[0] ?? '')
    const { app, log } = await startService(t, { ...environment, CALLER_KEYS_FILE: path, METRICS_PORT: '0' })
    const metrics = String(log.find(({ msg }) => msg === 'serving metrics')?.['address'])
    const seen = async (content: string | undefined) => {
      if (content === undefined) rmSync(path)
      else replace(content)
      app.config.callerSchemes.keys?.refresh()
      const { text } = await ask(`${metrics}/metrics`)
      const value = (name: string) =>
        new RegExp(`^zendesk_session_proxy_secret_file_${name}\\{secret="CALLER_KEYS"\\} (\\d+)$`, 'm').exec(
          text,
        )?.[1]
      return [value('bad'), value('errors_total')]
    }
    t.same(await seen(digests[0]), ['0', '0'])
    t.same(await seen('shop:canary'), ['1', '1'])
    t.same(await seen('shop:canary'), ['1', '1'], 'once for each bad value')
    t.same(await seen(undefined), ['1', '2'])
    t.same(await seen(digests[0]), ['0', '2'], 'as it was')
    t.match(log.at(-1), { secret: 'CALLER_KEYS', msg: 'secret file restored, same value in use' })
    t.same(await seen('shop:canary'), ['1', '3'])
    t.same(await seen(digests[1]), ['0', '3'], 'a new one')
    t.notMatch(JSON.stringify(log), 'canary')
    t.equal(zendesk.requests.length, 0)
  },
)

t.test('the file of every secret is watched by the metrics', async (t) => {
  const content: Record<string, string> = {
    CALLER_KEYS: `shop:${'ab'.repeat(32)}`,
    REDIS_URL: 'redis://127.0.0.1',
    HTTPS_PROXY: 'http://127.0.0.1:3128',
  }
  const folder = t.testdir(
    Object.fromEntries(secretNames.map((name) => [name, content[name] ?? 'sandbox-not-a-secret'])),
  )
  const watched = await Promise.all(
    KINDS.map(async ({ variable, companions }) => {
      const others = secretNames.filter((name) => !name.startsWith('ZENDESK_')).map((name) => `${name}_FILE`)
      const config = await readConfig({
        ZENDESK_SUBDOMAIN: 'acme',
        REDIS_MODE: 'sentinel',
        ...companions(SANDBOX_CREDENTIALS),
        ...Object.fromEntries(
          [variable, ...others].map((name) => [name, join(folder, name.replace(/_FILE$/, ''))]),
        ),
      })
      return config.secretFiles.map(({ name }) => name)
    }),
  )
  t.same([...new Set(watched.flat())].sort(), [...secretNames].sort())
})

function startWithFile(t: Test, zendesk: SandboxZendesk, kind: SecretKind, path: string): Promise<Service> {
  return startService(t, {
    ZENDESK_URL: zendesk.url,
    ZENDESK_BUDGET_PER_MINUTE: '0',
    CALLER_RATE_PER_MINUTE: '0',
    DOCS: 'false',
    [kind.variable]: path,
    ...kind.companions(zendesk.credentials),
  })
}

interface Mount {
  path: string
  replace: (value: string) => void
}

/** Replaced by a rename, as careful tools do. */
function plainFile(t: Test, value: string): Mount {
  const path = `${t.testdir({ secret: value })}/secret`
  return {
    path,
    replace: (next) => {
      writeFileSync(`${path}.new`, next)
      renameSync(`${path}.new`, path)
    },
  }
}

/** The file is a symlink through `..data`, which is swapped, and the old directory goes: kubelet's atomic writer. */
function kubernetesVolume(t: Test, value: string): Mount {
  const root = t.testdir({ '..1': { secret: value } })
  symlinkSync('..1', `${root}/..data`)
  symlinkSync('..data/secret', `${root}/secret`)
  let version = 1
  return {
    path: `${root}/secret`,
    replace: (next) => {
      version += 1
      mkdirSync(`${root}/..${version}`)
      writeFileSync(`${root}/..${version}/secret`, next)
      symlinkSync(`..${version}`, `${root}/..data_tmp`)
      renameSync(`${root}/..data_tmp`, `${root}/..data`)
      rmSync(`${root}/..${version - 1}`, { recursive: true })
    },
  }
}
