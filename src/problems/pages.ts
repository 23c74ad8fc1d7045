import { escape, page, prose, tag } from '../page.js'
import { catalogue, type ProblemCode } from './catalogue.js'
import type { ProblemType } from './problem-type.js'
import { requestProblems } from './request-problems.js'
import { serviceProblems } from './service-problems.js'
import { zendeskProblems } from './zendesk-problems.js'
import { Problem, problemDocument } from './problem.js'

/** The page of one problem type. Its texts are ours alone, from the catalogue; its links are relative. */
export function problemPage(type: DescribedType, hasDocs: boolean): string {
  const { code, title, status, retry, meaning, caller, operator } = type
  return page({
    title,
    body: `${navigation('..', hasDocs)}
<main>
<h1>${escape(title)}</h1>
<p><code>${code}</code> · HTTP ${status} · ${tag(RETRY[retry].style, RETRY[retry].text)}</p>
<h2>What it means</h2>
<p>${prose(meaning)}</p>
<h2>If you call this service</h2>
<p>${prose(caller)}</p>
<h2>If you run this service</h2>
<p>${prose(operator)} The runbook is <code>docs/operating.md</code>.</p>
<h2>Example</h2>
<pre tabindex="0">${escape(example(type))}</pre>
</main>`,
  })
}

/** All problem types, grouped by where the cause is. */
export function problemsPage(types: DescribedType[], hasDocs: boolean): string {
  const sections = groups.map(({ name, explanation, types: those }) => {
    const rows = types
      .filter(({ code }) => code in those)
      .map(
        ({ code, status, title, retry }) => `<tr><td>${status}</td>
<td><a href="problems/${code}"><code>${code}</code></a><br>${escape(title)}</td>
<td>${tag(RETRY[retry].style, RETRY[retry].short)}</td></tr>`,
      )
    return `<h2>${name}</h2>
<p class="soft">${explanation}</p>
<table><thead><tr><th scope="col">Status</th><th scope="col">Problem</th><th scope="col">Retry</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table>`
  })
  return page({
    title: 'Problems',
    body: `${navigation('.', hasDocs)}
<main>
<h1>Problems</h1>
<p>Every error is an <code>application/problem+json</code> document
(<a href="https://www.rfc-editor.org/rfc/rfc9457">RFC 9457</a>) with one of these codes. Branch on <code>code</code>;
quote <code>requestId</code> when you ask the operator for help.</p>
${sections.join('\n')}
</main>`,
  })
}

/** What a person gets who opens a path that does not exist. `root` leads to the root of this service. */
export function notFoundPage(
  { requestId }: { requestId: string },
  links?: { root: string; hasDocs: boolean },
): string {
  const { title, meaning } = catalogue['not-found']
  return page({
    title,
    body: `${links ? navigation(links.root, links.hasDocs) : ''}
<main>
<h1>${title}</h1>
<p>${prose(meaning)}</p>
<p class="soft">Request id: <code>${escape(requestId)}</code></p>
</main>`,
  })
}

export interface DescribedType extends ProblemType {
  code: ProblemCode
  /** The address of this explanation. */
  type: string
}

function navigation(root: string, hasDocs: boolean): string {
  const docs = hasDocs
    ? `<a href="${root}/docs">API documentation</a> <a href="${root}/openapi.yaml">openapi.yaml</a>`
    : ''
  return `<nav aria-label="Service"><b>zendesk-session-proxy</b> <a href="${root}/problems">Problems</a> ${docs}</nav>`
}

const groups: { name: string; explanation: string; types: object }[] = [
  {
    name: 'Your request',
    explanation: 'Something about the request or its credential. The caller can fix it.',
    types: requestProblems,
  },
  {
    name: 'This service',
    explanation: 'The service itself, or the identity provider that it depends on.',
    types: serviceProblems,
  },
  {
    name: 'Zendesk',
    explanation: 'Zendesk, the way to it, or what Zendesk thinks of the credentials of this service.',
    types: zendeskProblems,
  },
]

const RETRY = {
  wait: { style: 'warn', short: 'after the wait', text: 'retry after the wait' },
  later: { style: 'warn', short: 'later', text: 'retry later' },
  no: { style: 'bad', short: 'no', text: 'do not retry' },
} as const

const SAMPLE = { requestId: '0b6c2f9e-7d51-4a38-9f0e-1c2d3e4f5a6b', waitSeconds: 7 }

function example({ code, retry, type }: DescribedType): string {
  const problem = new Problem(code, { retryAfter: retry === 'wait' ? SAMPLE.waitSeconds : undefined })
  return JSON.stringify({ ...problemDocument(problem, SAMPLE.requestId), type }, undefined, 2)
}
