import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { FAVICON } from '../page.js'
import { script } from './script.js'
import { StoredFile } from './stored-file.js'
import { style } from './style.js'

/** What /docs loads, by the names below /docs/static/. */
export const swaggerUiFiles = {
  'swagger-ui.css': packaged('text/css; charset=utf-8', 'swagger-ui.css'),
  'swagger-ui-bundle.js': packaged('text/javascript; charset=utf-8', 'swagger-ui-bundle.js'),
  'docs.css': StoredFile.of('text/css; charset=utf-8', style),
  'docs.js': StoredFile.of('text/javascript; charset=utf-8', script),
}

/** The page. Its links are relative, since a proxy may take a path away, and name the version, so that a browser can keep the files. */
export const swaggerUiPage = new StoredFile('text/html; charset=utf-8', async () => {
  const [library, bundle, ownStyle, ownScript] = await Promise.all([
    linkTo('swagger-ui.css'),
    linkTo('swagger-ui-bundle.js'),
    linkTo('docs.css'),
    linkTo('docs.js'),
  ])
  return Buffer.from(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="Read and try the API of zendesk-session-proxy, which renews a Zendesk session without showing Zendesk credentials.">
<title>API – zendesk-session-proxy</title>
<link rel="icon" href="${FAVICON}">
<link rel="stylesheet" href="${library}">
<link rel="stylesheet" href="${ownStyle}">
</head>
<body>
<main id="docs"></main>
<noscript>This page needs JavaScript. The contract itself is <a href="openapi.yaml">openapi.yaml</a>.</noscript>
<script src="${bundle}"></script>
<script src="${ownScript}"></script>
</body>
</html>
`)
})

/** No upgrade-insecure-requests: it would break plain http on every host but localhost. */
export const SWAGGER_UI_POLICY = [
  "default-src 'none'",
  "base-uri 'none'",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "img-src 'self' data:",
  "script-src 'self'",
  "style-src 'self'",
].join('; ')

async function linkTo(name: keyof typeof swaggerUiFiles): Promise<string> {
  const { version } = await swaggerUiFiles[name].content()
  return `docs/static/${name}?v=${version}`
}

function packaged(type: string, name: string): StoredFile {
  return new StoredFile(type, () =>
    readFile(createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`)),
  )
}
