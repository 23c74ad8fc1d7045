/**
 * One design for every page of this service: no script, no request to anywhere, light or dark by the system's setting.
 * `body` is HTML; whatever comes from outside goes through `escape` first.
 */
export function page({ title, description = title, body }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${escape(description)}">
<link rel="icon" href="${FAVICON}">
<title>${escape(title)} – zendesk-session-proxy</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`
}

export interface Page {
  title: string
  /** For search engines and link previews; absent = the title. */
  description?: string
  body: string
}

/** In the page itself, so that it costs no request: a session that is renewed. */
export const FAVICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b57b0"/><g fill="none" stroke="#fff" stroke-width="3.2" stroke-linecap="round" stroke-linejoin="round"><path d="M24 11.5A9.2 9.2 0 0 0 7.2 13M8 20.5A9.2 9.2 0 0 0 24.8 19"/><path d="M24.5 5.5v6.200h-6.200M7.5 26.5v-6.200h6.200"/></g></svg>',
)}`

/** The policy that such a page needs: its own style and nothing else. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
}

/** Escaped, with names of variables, headers, fields and paths set as code. */
export function prose(text: string): string {
  return escape(text).replace(NAMES, '<code>$&</code>')
}

/** A state at a glance. */
export function tag(style: 'good' | 'warn' | 'bad', text: string): string {
  return `<span class="tag ${style}">${escape(text)}</span>`
}

const NAMES =
  /[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?:=\w+)?|\b(?:retry-after|retryAfter|requestId|errorCode|www-authenticate)\b|\bzendesk\.(?:status|requestId)\b|\b(?:zendesk|service|caller)-(?!session-proxy)[a-z]+(?:-[a-z]+)*|(?<![\w/])\/[a-z][\w/.-]*\w/g

const STYLE = `
:root { color-scheme: light dark; --text: #1f2933; --soft: #52606d; --line: #d9e0e6; --card: #f5f7f9; --page: #fff;
  --link: #0b57b0; --good: #0b6b3a; --warn: #8a4b00; --bad: #a61b1b; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e9ee; --soft: #a3b0bd; --line: #35404b; --card: #1b232b;
  --page: #12181e; --link: #7db8ff; --good: #62d394; --warn: #f0b45a; --bad: #ff8f8f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.55 system-ui, sans-serif; }
nav, main { max-width: 58rem; margin: 0 auto; padding: 0 1.25rem; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding-top: 1rem; padding-bottom: 1rem; font-size: .9rem; }
nav b { margin-right: auto; }
main { padding-bottom: 3rem; }
a { color: var(--link); text-underline-offset: .15em; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1rem 0 .5rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .4rem; }
p { margin: .4rem 0; max-width: 42rem; }
.soft { color: var(--soft); }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.tag { display: inline-block; border: 1px solid currentColor; border-radius: 1rem; padding: 0 .6rem; font-size: .85rem;
  white-space: nowrap; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .875em; }
code { overflow-wrap: anywhere; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .8rem 1rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); font-size: .9rem; }
th[scope=row] { width: 10rem; }
.fact { display: flex; gap: 0 1rem; } .fact > :first-child { flex: 0 0 10rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
thead .number { white-space: normal; }
table + p { margin-top: 1rem; }
@media (max-width: 40rem) { h1 { font-size: 1.35rem; } th, td { padding-right: .6rem; } .tag { white-space: normal; }
  th[scope=row] { width: 6.5rem; } .fact, .fact > :first-child { display: block; } }
`
