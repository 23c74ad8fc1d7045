import type { Comparison } from './compare.js'
import { tokenShare } from './comparison-text.js'
import { ratios } from './ratios.js'
import { scenarios, strictZendesk } from './scenarios.js'
import type { SubjectName } from './subjects.js'

interface Bar {
  subject: SubjectName
  value: number
  label: string
}

interface Panel {
  title: string
  subtitle: string
  bars: Bar[]
}

const WIDTH = 760
const LABELS = 120
const LONGEST = 380
const ROW = 30
const HEAD = 64
const GAP = 22

/** The comparison as an SVG of its own, readable without this page: one panel for each question. */
export function chart(comparison: Comparison): string {
  const panels = [speedPanel(comparison), callsPanel(comparison), strictPanel(comparison)].filter(
    ({ bars }) => bars.length > 0,
  )
  let y = 52
  const drawn = panels.map((panel) => {
    const text = drawPanel(panel, y)
    y += HEAD + panel.bars.length * ROW + GAP
    return text
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" font-family="system-ui, sans-serif" font-size="14" fill="#24292f">
<title>zendesk-session-proxy beside other ways to put a credential in</title>
<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>
<text x="20" y="36" font-size="19" font-weight="600">Renewals: this service beside what else could put a credential in</text>
${drawn.join('\n')}
</svg>
`
}

function speedPanel({ speed }: Comparison): Panel {
  return {
    title: `${scenarios.instant.title}: answers a second`,
    subtitle: `this service = 1, with everything on; the others bare. One core each, ${scenarios.instant.connections} connections`,
    bars: ratios(speed.instant ?? new Map<never, never>()).map(({ subject, answersPerSecond: value }) => ({
      subject,
      value,
      label: `${value.toFixed(2)} ×`,
    })),
  }
}

function callsPanel({ speed }: Comparison): Panel {
  return {
    title: `${scenarios.slow.title}: calls to Zendesk for 1,000 requests`,
    subtitle: `fewer is better; ${scenarios.slow.connections} connections`,
    bars: ratios(speed.slow ?? new Map<never, never>()).map(({ subject, callsPerThousand: value }) => ({
      subject,
      value,
      label: value.toFixed(value < 10 ? 1 : 0),
    })),
  }
}

function strictPanel({ strict, strictSeconds }: Comparison): Panel {
  return {
    title: `${strictZendesk.title}: callers who got a token`,
    subtitle: `${strictZendesk.callersPerSecond} callers a second, in the first ${strictSeconds} seconds of Zendesk's minute`,
    bars: strict.map((result) => ({
      subject: result.subject,
      value: tokenShare(result),
      label: `${(tokenShare(result) * 100).toFixed(0)} % (${result.calls} calls, ${result.refusedCalls} refused)`,
    })),
  }
}

function drawPanel({ title, subtitle, bars }: Panel, top: number): string {
  const longest = Math.max(...bars.map(({ value }) => value))
  const rows = bars.map(({ subject, value, label }, index) => {
    const y = top + HEAD + index * ROW
    const width = Math.max(2, (value / longest) * LONGEST)
    const own = subject === 'this service'
    return `<text x="${20 + LABELS - 10}" y="${y + 15}" text-anchor="end"${own ? ' font-weight="600"' : ''}>${subject}</text>
<rect x="${20 + LABELS}" y="${y}" width="${width.toFixed(1)}" height="20" rx="3" fill="${own ? '#0b6e5f' : '#b6bec8'}"/>
<text x="${(20 + LABELS + width + 8).toFixed(1)}" y="${y + 15}">${label}</text>`
  })
  return `<text x="20" y="${top + 24}" font-size="16" font-weight="600">${title}</text>
<text x="20" y="${top + 45}" font-size="13" fill="#57606a">${subtitle}</text>
${rows.join('\n')}`
}
