import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRequire } from 'node:module'
import t, { type Test } from 'tap'
import { browserOrSkip, startBrowser } from './support/chromium.js'
import { startBoth } from './support/helper.js'

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

t.test('axe finds nothing on our own pages, light and dark, wide and narrow', browserOrSkip(), async (t) => {
  const { url } = await startBoth(t)
  const pages = [
    ...['/problems', '/problems/zendesk-rate-limited', '/problems/not-found', '/no-such-path'].map(
      (path) => url + path,
    ),
    `${await serveExample(t)}/index.html`,
  ]
  const browser = await startBrowser(t)
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [1280, 390]) {
      // The policy of the pages forbids every script, that of axe too.
      const context = await browser.newContext({
        colorScheme,
        bypassCSP: true,
        viewport: { width, height: 800 },
      })
      const page = await context.newPage()
      for (const address of pages) {
        await page.goto(address)
        await page.addScriptTag({ path: axe })
        const { violations, passes } = await page.evaluate<Findings>('axe.run()')
        t.ok(passes.length > 10, 'it has looked')
        const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
        t.same(found, [], `${new URL(address).pathname}, ${colorScheme}, ${width}`)
        t.ok(
          Number(await page.evaluate('document.documentElement.scrollWidth')) <= width,
          'nothing hangs out',
        )
      }
      await context.close()
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
