import { escape, page, prose, tag } from '../page.js'
import { headlineOf } from './headline.js'
import { rowsOf, type Row } from './rows.js'
import type { Status } from './status.js'

/** How often a browser reloads the page by itself. */
export const RELOAD_SECONDS = 5

/** The same for a person, in plain HTML. `reloads` says whether the browser will load it again by itself. */
export function statusPage(status: Status, reloads: boolean, now = new Date()): string {
  const { version, replica, startedAt, zendesk } = status
  const { style, state, explanation } = headlineOf(status)
  return page({
    title: state,
    body: `<nav aria-label="Service"><b>zendesk-session-proxy</b> <a href="metrics">Metrics</a></nav>
<main>
<h1 class="${style}">${escape(state)}</h1>
<p>${prose(explanation)}</p>
<p class="soft">Account <code>${escape(zendesk)}</code>, replica <code>${escape(replica)}</code>, version ${escape(version)},
up for ${duration(Date.parse(startedAt), now)}.</p>
<h2>Now</h2>
<table><tbody>
${rowsOf(status).map(row).join('\n')}
</tbody></table>
<h2>Renewals by outcome</h2>
${outcomeTable(status, now)}
<p class="soft">As of ${now.toISOString().slice(11, 19)} UTC. ${reloads ? RELOADING : STOPPED}
As JSON: <code>curl -H 'accept: application/json'</code> with this address.</p>
</main>`,
  })
}

// WCAG 2.2, criterion 2.2.1: a person can turn the reloading off.
const RELOADING = `Reloads every ${RELOAD_SECONDS} seconds; <a href="status?reload=no">stop reloading</a>.`
const STOPPED = `Does not reload; <a href="status">reload every ${RELOAD_SECONDS} seconds</a>.`

function row({ name, value, style, explanation }: Row): string {
  const shown = style ? tag(style, value) : escape(value)
  return `<tr><th scope="row">${name}</th><td><div class="fact"><span>${shown}</span>
<span class="soft">${prose(explanation)}</span></div></td></tr>`
}

function outcomeTable({ outcomes }: Status, now: Date): string {
  if (outcomes.length === 0) return '<p>No renewals since the start.</p>'
  const rows = outcomes.map(
    ({ code, lastMinute, sinceStart, lastAt }) => `<tr><td><code>${escape(code)}</code></td>
<td class="number">${lastMinute}</td><td class="number">${sinceStart}</td>
<td class="number">${duration(Date.parse(lastAt), now)} ago</td></tr>`,
  )
  return `<table><thead><tr><th scope="col">Outcome</th><th scope="col" class="number">Last minute</th>
<th scope="col" class="number">Since start</th><th scope="col" class="number">Latest</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table>`
}

/** In its largest unit. */
function duration(since: number, now: Date): string {
  const seconds = Math.max(Math.round((now.getTime() - since) / 1000), 0)
  if (seconds < 120) return `${seconds} s`
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}
