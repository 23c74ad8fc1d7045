import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { ask, startBoth } from './support/helper.js'

/** An empty profile that asks nobody for anything, and a name that leads to this machine. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-proxy-server',
  '--host-resolver-rules=MAP proxy.example.com 127.0.0.1',
]
const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
const skip =
  process.env['REQUIRE_BROWSER'] !== '1' && !existsSync(executablePath) && `there is no ${executablePath}`

t.test('in a browser', { skip }, async (t) => {
  const browser = await chromium.launch({ executablePath, args: FLAGS })
  t.teardown(() => browser.close())

  t.test('every operation can be read, and the page asks nobody but the service', async (t) => {
    const { url } = await startBoth(t)
    const { page, complaints, origins } = await visit(t, browser, `${url}/docs?x=%3Cscript%3E`)
    t.equal(await page.title(), 'API – zendesk-session-proxy')
    t.same((await shownOperations(page)).sort(), (await writtenOperations(url)).sort())
    await page.locator('#operations-Health-checkLiveness .opblock-summary-control').click()
    await page.locator('.opblock.is-open .responses-table').waitFor()
    await page.locator('.json-schema-2020-12-expand-deep-button').first().click()
    const links = await page.locator('.info .description a').all()
    t.equal(links.length, 4)
    for (const link of links) {
      const address = await link.evaluate((element) => String(Reflect.get(element, 'href')))
      t.equal((await ask(address)).status, 200, address)
    }
    t.same(complaints, [])
    t.same([...origins], [url])
    t.same(await page.context().storageState(), { cookies: [], origins: [] })
  })

  t.test('Execute renews the session, one call to Zendesk each time', async (t) => {
    const { url, zendesk } = await startBoth(t)
    const { page, complaints, origins } = await visit(t, browser, `${url}/docs`)
    t.match(await execute(page, 'renewSession', 200), /"authenticity_token": "[\w-]{86}"/)
    t.equal(zendesk.renewals().length, 1)
    t.match(await execute(page, 'renewSessionByPost', 200), /"authenticity_token": "[\w-]{86}"/)
    t.equal(zendesk.renewals().length, 2)
    t.same(complaints, [])
    t.same([...origins], [url])
  })

  t.test('a caller with a key can try it out over plain http, under any name of the service', async (t) => {
    const digest = createHash('sha256').update('fake-key-of-a-reader').digest('hex')
    const { port, zendesk } = await startBoth(t, { CALLER_KEYS: `reader:${digest}` })
    const { page, origins } = await visit(t, browser, `http://proxy.example.com:${port}/docs`)
    t.match(await execute(page, 'renewSession', 401), '"code": "caller-not-authenticated"')
    t.equal(zendesk.renewals().length, 0)

    await page.locator('.btn.authorize').click()
    const kinds = page.locator('.auth-container')
    t.match(await kinds.allInnerTexts(), [/^basic\b/, /^bearer\b/])
    // The cursor is in the right box already.
    await page.keyboard.type('fake-key-of-a-reader')
    await page.keyboard.press('Enter')
    await page.locator('.btn-done').first().click()
    t.match(await execute(page, 'renewSessionByPost', 200), '"authenticity_token"')
    t.equal(zendesk.renewals().length, 1)
    t.same([...origins], [`http://proxy.example.com:${port}`])
    t.same(await page.context().storageState(), { cookies: [], origins: [] }, 'the key is kept nowhere')
  })

  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [1280, 390])
      t.test(
        `the first operation is on the first screen, ${colorScheme}, ${width} pixels wide`,
        async (t) => {
          const { url } = await startBoth(t)
          const viewport = { width, height: 800 }
          const { page } = await visit(t, browser, `${url}/docs`, { colorScheme, viewport })
          const first = await page.locator('#operations-Session-renewSession').boundingBox()
          t.ok(first && first.y + first.height < viewport.height, JSON.stringify(first))
          t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, 'nothing hangs out')
          t.equal(await page.locator('html.dark-mode').count(), colorScheme === 'dark' ? 1 : 0)
          await page.emulateMedia({ colorScheme: colorScheme === 'dark' ? 'light' : 'dark' })
          await page.locator(colorScheme === 'dark' ? 'html:not(.dark-mode)' : 'html.dark-mode').waitFor()
        },
      )

  t.test('a first visit costs less than 700 kB, a second one less than 20 kB', async (t) => {
    const { url } = await startBoth(t)
    const context = await browser.newContext()
    t.teardown(() => context.close())
    const page = await context.newPage()
    const received = await transferOf(page)
    for (const most of [700_000, 20_000]) {
      await page.goto(`${url}/docs`)
      await page.locator('.opblock').first().waitFor()
      const bytes = received()
      t.ok(bytes > 0 && bytes < most, `${bytes} bytes`)
      await page.goto('about:blank')
    }
  })

  t.test('the request is shown for curl and for fetch, and both do what Execute did', async (t) => {
    const { url, zendesk } = await startBoth(t, { PUBLIC_URL: 'https://proxy.example/zendesk' })
    const { page, complaints } = await visit(t, browser, `${url}/docs`)
    await execute(page, 'renewSessionByPost', 200)
    t.equal(zendesk.renewals().length, 1, 'here, not at PUBLIC_URL')
    const snippets = page.locator('.request-snippets')
    const shown = () => snippets.locator('pre').first().innerText()
    const curl = await promisify(execFile)('sh', ['-c', (await shown()).replace('curl', 'curl -sS')])
    t.match(JSON.parse(curl.stdout), { authenticity_token: /^[\w-]{86}$/ })
    await snippets.getByText('fetch', { exact: true }).click()
    const program = new AsyncFunction(`${await shown()}\nreturn body`)
    t.match(await program(), { authenticity_token: /^[\w-]{86}$/ })
    t.equal(zendesk.renewals().length, 3)
    t.same(complaints, [])
  })
})

/** The shown program, as a reader would run it. */
const AsyncFunction = (async () => {
  /* only for its constructor */
}).constructor as new (program: string) => () => Promise<unknown>

/** What the browser has received since the last time it was asked, in bytes. */
async function transferOf(page: Page): Promise<() => number> {
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  let bytes = 0
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength
  })
  return () => {
    const received = bytes
    bytes = 0
    return received
  }
}

/** The page once it shows the contract; what the browser complained about; whom the page asked for anything. */
async function visit(t: Test, browser: Browser, url: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext(options)
  t.teardown(() => context.close())
  const page = await context.newPage()
  const complaints: string[] = []
  const origins = new Set<string>()
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (!request.url().startsWith('data:')) origins.add(new URL(request.url()).origin)
  })
  await page.goto(url)
  await page.locator('.opblock').first().waitFor()
  return { page, complaints, origins }
}

async function writtenOperations(url: string): Promise<string[]> {
  const { body } = await ask(`${url}/openapi.json`)
  return Object.entries(body?.['paths'] ?? {}).flatMap(([path, item]: [string, object]) =>
    ['get', 'post', 'put', 'delete']
      .filter((method) => method in item)
      .map((method) => `${method.toUpperCase()} ${path}`),
  )
}

async function shownOperations(page: Page): Promise<string[]> {
  const methods = await page.locator('.opblock-summary-method').allTextContents()
  const paths = await page.locator('.opblock-summary-path').allTextContents()
  return methods.map((method, index) => `${method} ${paths[index]?.replaceAll('\u200b', '') ?? ''}`)
}

/** Opens an operation, presses Execute and gives the body shown once the status is there. */
async function execute(page: Page, operationId: string, status: number): Promise<string> {
  const operation = page.locator(`#operations-Session-${operationId}`)
  await operation.locator('.opblock-summary-control').click()
  await operation.locator('.execute').click()
  const answer = operation.locator('.live-responses-table tbody tr')
  await answer.locator('.response-col_status', { hasText: String(status) }).waitFor()
  return answer.locator('.highlight-code').first().innerText()
}
