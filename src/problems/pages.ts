/** The pages behind `/problems`, for people. Their texts are ours alone, from the catalogue. */
export function problemPage(type: DescribedType): string {
  return page(
    type.title,
    `<p><a href="../problems">All problems</a></p>
<h1>${type.title}</h1>
<p><code>${type.code}</code>, HTTP ${type.status}</p>
<h2>What it means</h2><p>${escape(type.meaning)}</p>
<h2>If you are the caller</h2><p>${escape(type.caller)}</p>
<h2>If you run the service</h2><p>${escape(type.operator)}</p>`,
  )
}

export function problemsPage(types: DescribedType[]): string {
  const rows = types.map(
    ({ code, status, title }) =>
      `<tr><td>${status}</td><td><a href="problems/${code}"><code>${code}</code></a></td><td>${title}</td></tr>`,
  )
  return page(
    'Problems',
    `<h1>Problems</h1>
<p>Whatever is no success is answered as <code>application/problem+json</code> (RFC 9457) with one of these codes.</p>
<table><tr><th>Status</th><th>Code</th><th>Title</th></tr>${rows.join('\n')}</table>`,
  )
}

interface DescribedType {
  code: string
  title: string
  status: number
  meaning: string
  caller: string
  operator: string
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} – zendesk-session-proxy</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #1d2733; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-bottom: 0; } h2 + p { margin-top: .2rem; }
td, th { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; } code { font-size: .9em; }
</style>
</head>
<body>
${body}
</body>
</html>
`
}

function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}
