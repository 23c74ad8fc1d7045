import { Pool } from 'undici'
import { median } from './median.js'
import { CALLER_HEADERS } from './service.js'
import type { Subject } from './subjects.js'
import { UPSTREAM_TOKEN, type Upstream } from './upstream.js'

/** So that the code of each is as compiled as it is after a minute of service. */
const WARM_UP = 20_000
const PAIRS = 1_000

/**
 * One caller at a time: by how many milliseconds each subject is slower than the upstream asked directly, as the median of
 * differences between neighbours.
 */
export async function measureAlone(upstream: Upstream, subjects: readonly Subject[]): Promise<AddedTime[]> {
  await upstream.behave({ delayMs: 0 })
  const direct = asking(`${upstream.origin}/api/v2/users/me/session/renew`, {
    authorization: `Bearer ${UPSTREAM_TOKEN}`,
  })
  const lanes = subjects.map((subject) => ({
    subject,
    through: asking(subject.url, CALLER_HEADERS),
    addedMs: [] as number[],
  }))
  for (let pair = -WARM_UP; pair < PAIRS; pair++) {
    for (const lane of lanes) {
      const directMs = await direct.askMs()
      const addedMs = (await lane.through.askMs()) - directMs
      if (pair >= 0) lane.addedMs.push(addedMs)
    }
  }
  await Promise.all([direct, ...lanes.map(({ through }) => through)].map(({ close }) => close()))
  return lanes.map(({ subject, addedMs }) => ({ subject: subject.name, addedMs: median(addedMs) }))
}

export interface AddedTime {
  subject: Subject['name']
  addedMs: number
}

function asking(url: string, headers: Record<string, string>) {
  const { origin, pathname: path } = new URL(url)
  const pool = new Pool(origin, { connections: 1 })
  return {
    askMs: async () => {
      const startedAt = performance.now()
      const { statusCode, body } = await pool.request({ method: 'GET', path, headers })
      await body.text()
      if (statusCode !== 200) throw new Error(`${url} answered with ${statusCode}`)
      return performance.now() - startedAt
    },
    close: () => pool.close(),
  }
}
