import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRequire } from 'node:module'
import t, { type Test } from 'tap'
import { browserOrSkip, startBrowser } from './support/chromium.js'
import { ask, startBoth } from './support/helper.js'

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

t.test('axe finds nothing on our own pages, light and dark, wide and narrow', browserOrSkip(), async (t) => {
  const { url, zendesk, log } = await startBoth(t, { METRICS_PORT: '0' })
  zendesk.misbehave({ kind: 'status', status: 503, times: 5 })
  await ask(`${url}/session/renew`)
  await ask(`${url}/session/renew`)
  const metrics = String(log.find(({ msg }) => msg === 'serving metrics')?.['address'])
  const pages = [
    ...['/problems', '/problems/zendesk-rate-limited', '/problems/not-found', '/no-such-path'].map(
      (path) => url + path,
    ),
    `${metrics}/status?reload=no`,
    `${await serveExample(t)}/index.html`,
  ]
  const browser = await startBrowser(t)
  // The policy of the pages forbids every script, that of axe too.
  const page = await browser.newPage({ bypassCSP: true })
  for (const address of pages) {
    await page.goto(address)
    await page.addScriptTag({ path: axe })
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [1280, 390]) {
        await page.emulateMedia({ colorScheme })
        await page.setViewportSize({ width, height: 800 })
        const { violations, passes } = await page.evaluate<Findings>('axe.run()')
        t.ok(passes.length > 10, 'it has looked')
        const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
        t.same(found, [], `${new URL(address).pathname}, ${colorScheme}, ${width}`)
        t.ok(
          Number(await page.evaluate('document.documentElement.scrollWidth')) <= width,
          'nothing hangs out',
        )
      }
  }
})

interface Findings {
  violations: { id: string; nodes: { html: string }[] }[]
  passes: object[]
}

/** The page of examples/browser. */
async function serveExample(t: Test): Promise<string> {
  const html = await readFile('examples/browser/index.html')
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end(html),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
