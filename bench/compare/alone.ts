import { Pool } from 'undici'
import { quantile } from '../quantiles.js'
import { RENEWAL_PATH } from '../service.js'
import { UPSTREAM_TOKEN, type Upstream } from '../upstream.js'
import type { Subject, SubjectName } from './subjects.js'

/** Until the code of each is compiled. */
const WARM_UP = 5_000
const PAIRS = 200

/** One caller at a time: for each round, by how many ms each subject is slower than the upstream asked directly in the same moment. */
export async function measureAlone(
  upstream: Upstream,
  subjects: readonly Subject[],
  rounds: number,
): Promise<Partial<Record<SubjectName, number[]>>> {
  await upstream.behave({ delayMs: 0 })
  const direct = await client(`${upstream.origin}/api/v2/users/me${RENEWAL_PATH}`, {
    authorization: `Bearer ${UPSTREAM_TOKEN}`,
  })
  const targets = await Promise.all(
    subjects.map(async ({ name, url, headers }) => ({ name, ...(await client(url, headers)) })),
  )
  const added: Partial<Record<SubjectName, number[]>> = {}
  for (let round = 0; round < rounds; round++) {
    const differences = new Map(targets.map(({ name }) => [name, [] as number[]]))
    for (let pair = 0; pair < PAIRS; pair++) {
      for (const { name, ask } of targets) {
        const directMs = await direct.ask()
        differences.get(name)?.push((await ask()) - directMs)
      }
    }
    for (const [name, ms] of differences) added[name] = [...(added[name] ?? []), quantile(ms, 0.5)]
  }
  await Promise.all([direct, ...targets].map(({ close }) => close()))
  return added
}

/** One connection, warmed up; `ask` resolves with the milliseconds that a request took. */
async function client(url: string, headers: Record<string, string>) {
  const { origin, pathname: path } = new URL(url)
  const pool = new Pool(origin, { connections: 1 })
  const ask = async () => {
    const startedAt = performance.now()
    const { statusCode, body } = await pool.request({ method: 'GET', path, headers })
    await body.text()
    if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}`)
    return performance.now() - startedAt
  }
  for (let count = 0; count < WARM_UP; count++) await ask()
  return { ask, close: () => pool.close() }
}
