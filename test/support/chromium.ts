import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'
import type { Test } from 'tap'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** For the options of a test. With REQUIRE_BROWSER=1 an absent browser fails it. */
export function browserOrSkip(): { skip: string | false } {
  const required = process.env['REQUIRE_BROWSER'] === '1'
  return { skip: executable() === undefined && !required ? 'there is no Chromium on this machine' : false }
}

/** A real Chromium with an empty profile, closed with the test. */
export async function startBrowser(t: Test): Promise<Browser> {
  const executablePath = executable()
  if (executablePath === undefined) throw new Error('there is no Chromium on this machine')
  const browser = await chromium.launch({
    executablePath,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  })
  t.teardown(() => browser.close())
  return browser
}

function executable(): string | undefined {
  return [process.env['CHROMIUM'] ?? '', ...PLACES].find((path) => existsSync(path))
}
