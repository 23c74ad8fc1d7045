import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { buildApp } from '../../../src/app.js'
import { readConfig } from '../../../src/config/read.js'
import { SandboxZendesk, type SandboxOptions } from '../zendesk.js'

/** What one caller got, and after how many milliseconds. */
export interface Answer {
  status: number
  code?: string
  retryAfter?: number
  ms: number
}

/** A service and its sandbox Zendesk, new for each scene. */
export class Stage {
  readonly zendesk: SandboxZendesk
  readonly #url: string
  readonly #secretFile: string

  /** Runs one scene; whatever was started for it ends with it. */
  static async with<T>(options: SandboxOptions, play: (stage: Stage) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), 'tour-'))
    const zendesk = await SandboxZendesk.start(options)
    const secretFile = join(folder, 'secret')
    await writeFile(secretFile, zendesk.credentials.clientSecret)
    const config = await readConfig({
      PORT: '0',
      LOG_LEVEL: 'silent',
      ZENDESK_URL: zendesk.url,
      ZENDESK_OAUTH_CLIENT_ID: zendesk.credentials.clientId,
      ZENDESK_OAUTH_CLIENT_SECRET_FILE: secretFile,
      CALLER_RATE_PER_MINUTE: '0',
    })
    const app = await buildApp(config, pino({ level: config.LOG_LEVEL }))
    try {
      const url = await app.listen({ host: config.HOST, port: config.PORT })
      return await play(new Stage(url, zendesk, secretFile))
    } finally {
      await app.close()
      await zendesk.close()
      await rm(folder, { recursive: true })
    }
  }

  private constructor(url: string, zendesk: SandboxZendesk, secretFile: string) {
    this.#url = url
    this.zendesk = zendesk
    this.#secretFile = secretFile
  }

  async renew(): Promise<Answer> {
    const startedAt = performance.now()
    const response = await fetch(`${this.#url}/session/renew`)
    const body = (await response.json()) as { code?: string; retryAfter?: number }
    return { status: response.status, ...body, ms: performance.now() - startedAt }
  }

  callersAtOnce(count: number): Promise<Answer[]> {
    return Promise.all(Array.from({ length: count }, () => this.renew()))
  }

  /** This many callers, each asking again and again, for this many seconds. */
  async load(callers: number, seconds: number): Promise<Answer[]> {
    const endsAt = performance.now() + seconds * 1000
    const answers: Answer[] = []
    const one = async () => {
      while (performance.now() < endsAt) answers.push(await this.renew())
    }
    await Promise.all(Array.from({ length: callers }, one))
    return answers
  }

  /** Another integration of the same account asks; gives the status that it gets. */
  async anotherIntegration(): Promise<number> {
    const authorization = `Bearer ${this.zendesk.credentials.bearerToken}`
    const { status } = await fetch(`${this.zendesk.url}/api/v2/users/me.json`, { headers: { authorization } })
    return status
  }

  /** As an operator does it: the new value into the file by rename, then the old one and its tokens end at Zendesk. */
  async rotateSecret(): Promise<void> {
    const secret = 'sandbox-rotated-secret-not-a-secret'
    await writeFile(`${this.#secretFile}.new`, secret)
    await rename(`${this.#secretFile}.new`, this.#secretFile)
    this.zendesk.credentials.clientSecret = secret
    this.zendesk.revokeTokens()
  }
}
