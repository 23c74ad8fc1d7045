import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { browserOrSkip, startBrowser } from './support/chromium.js'
import { startBoth } from './support/helper.js'
import { AUDIENCE } from './support/identity-provider.js'
import { startLoginProvider } from './support/login-provider.js'

const example = resolve('examples/react')
const run = promisify(execFile)

t.test('the React example logs in, renews, and waits as told where Zendesk is busy', skipped(), async (t) => {
  const folder = t.testdir()
  const page = await servePage(t, folder)
  const issuer = await startLoginProvider(t, 'renew-session', `${page}/`)
  // A pause longer than the deadline is told to the page, which has to wait it out.
  const { url, zendesk, log } = await startBoth(t, {
    JWT_ISSUER: issuer,
    JWT_AUDIENCE: AUDIENCE,
    CORS_ORIGINS: page,
    ZENDESK_TIMEOUT_MS: '1900',
  })
  await build(folder, {
    VITE_SERVICE: url,
    VITE_ISSUER: issuer,
    VITE_CLIENT_ID: 'renew-session',
    VITE_AUDIENCE: AUDIENCE,
    VITE_SCOPE: 'openid',
  })

  const browser = await startBrowser(t)
  const tab = await browser.newPage()
  // The provider's pages ask for a font of the web.
  await tab.route(/^https:/, (route) => route.abort())
  await tab.goto(page)
  await tab.getByRole('button', { name: 'Log in' }).click()
  await tab.locator('input[name=login]').fill('alice')
  await tab.locator('input[name=password]').fill('anything')
  await tab.locator('button[type=submit]').click()
  await tab.locator('button[type=submit]').click()

  await tab.getByRole('button', { name: 'Renew' }).click()
  const told = tab.getByRole('status')
  await told.filter({ hasText: /^[\w-]{86}$/ }).waitFor()
  const first = await told.textContent()
  t.notMatch(tab.url(), 'code=', 'the code does not stay in the address')

  const headers = { 'retry-after': '2' }
  zendesk.misbehave({ kind: 'status', status: 429, headers, target: 'renew', times: 1 })
  await tab.getByRole('button', { name: 'Renew' }).click()
  await told.filter({ hasText: /^Waiting: / }).waitFor()
  await told.filter({ hasText: /^[\w-]{86}$/ }).waitFor()
  t.not(await told.textContent(), first)

  const renewals = log.filter(({ msg, route }) => msg === 'request' && route === '/session/renew')
  t.match(renewals, [
    { method: 'POST', status: 200, caller: 'jwt:alice' },
    { status: 429, code: 'zendesk-rate-limited' },
    { status: 200 },
  ])
  t.equal(renewals.length, 3)
  t.equal(zendesk.renewals().length, 3)
})

function skipped(): { skip: string | false } {
  const missing = !existsSync(join(example, 'node_modules')) && !process.env['REQUIRE_TOOLS']
  return missing ? { skip: 'examples/react is not installed' } : browserOrSkip()
}

async function build(folder: string, environment: Record<string, string>): Promise<void> {
  const env = { ...process.env, ...environment }
  const vite = join(example, 'node_modules/vite/bin/vite.js')
  const tsc = join(example, 'node_modules/typescript/bin/tsc')
  await Promise.all([
    run(process.execPath, [tsc, '--noEmit'], { cwd: example }),
    run(process.execPath, [vite, 'build', '--outDir', folder, '--emptyOutDir'], { cwd: example, env }),
  ])
}

/** Whatever lies in the folder by the time it is asked for. Gives the origin. */
async function servePage(t: Test, folder: string): Promise<string> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    readFile(join(folder, path === '/' ? 'index.html' : path)).then(
      (content) => {
        response.setHeader('content-type', path.endsWith('.js') ? 'text/javascript' : 'text/html')
        response.end(content)
      },
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
