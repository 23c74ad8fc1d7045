import t from 'tap'
import { makeKey } from '../src/callers/keys.js'
import { browserOrSkip, startBrowser } from './support/chromium.js'
import { entry } from './support/credentials.js'
import { ask, startBoth } from './support/helper.js'
import { publicAddress, startNginx } from './support/nginx.js'
import { toolOrSkip } from './support/tools.js'

const nginxOrSkip = toolOrSkip('nginx')

t.test('PUBLIC_URL is the server of the contract, with its path and without', async (t) => {
  for (const publicUrl of ['https://x.example/zendesk', 'https://x.example']) {
    const { url } = await startBoth(t, { PUBLIC_URL: `${publicUrl}/` })
    const json = await ask(`${url}/openapi.json`)
    t.match(json.body, { servers: [{ url: publicUrl }] })
    const yaml = await ask(`${url}/openapi.yaml`)
    t.match(yaml.text, `servers:\n  - url: "${publicUrl}"\n    description: `)
    const path = publicUrl.slice('https://x.example'.length)
    for (const from of ['/', '/docs/'])
      t.equal((await ask(url + from)).headers.get('location'), `${path}/docs`)
  }
})

const skip = browserOrSkip().skip || nginxOrSkip.skip

t.test(
  'behind an nginx that takes a path away, a person finds every page and renews',
  { skip },
  async (t) => {
    const { port, url } = await publicAddress()
    const key = makeKey()
    const service = await startBoth(t, { PUBLIC_URL: url, CALLER_KEYS: entry('reader', key) })
    await startNginx(t, port, service.port)
    const page = await (await startBrowser(t)).newPage()
    const outside: string[] = []
    page.on('request', (request) => {
      if (!request.url().startsWith(`${url}/`) && !request.url().startsWith('data:'))
        outside.push(request.url())
    })
    const failed: string[] = []
    page.on('response', (response) => {
      if (response.status() >= 400) failed.push(`${response.status()} ${response.url()}`)
    })

    await page.goto(`${url}/`)
    t.equal(page.url(), `${url}/docs`)
    const operation = page.locator('#operations-Session-renewSession')
    await operation.locator('.opblock-summary-control').click()
    await operation.locator('.execute').click()
    const answer = operation.locator('.live-responses-table tbody tr')
    await answer.locator('.response-col_status', { hasText: '401' }).waitFor()
    const [, type = ''] =
      /"type": "([^"]+)"/.exec(await answer.locator('.highlight-code').first().innerText()) ?? []
    t.equal(type, `${url}/problems/caller-not-authenticated`)
    t.same(failed, [`401 ${url}/session/renew`])

    await page.locator('.btn.authorize').click()
    await page.keyboard.type(key)
    await page.keyboard.press('Enter')
    await page.locator('.btn-done').first().click()
    await operation.locator('.execute').click()
    await answer.locator('.response-col_status', { hasText: '200' }).waitFor()
    t.equal(service.zendesk.renewals().length, 1)

    const addresses = [type, `${url}/problems`, `${url}/no/such/path`]
    for (const address of addresses) {
      await page.goto(address)
      for (const link of await page.locator('nav a, table a').all()) {
        const target = await link.evaluate((element) => String(Reflect.get(element, 'href')))
        t.ok(target.startsWith(`${url}/`), target)
        t.equal((await ask(target)).status, 200, target)
      }
    }
    t.same(outside, [])
  },
)
