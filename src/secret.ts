import { readFileSync, statSync, unwatchFile, watchFile } from 'node:fs'
import { inspect } from 'node:util'
import { errorCode } from './log/error-place.js'

/** How often a followed file is looked at. A stat costs microseconds; kubelet itself needs up to a minute. */
export const LOOK_EVERY_MS = 250
/** In bytes; so that a wrong path, such as that of a device, is not read for ever. */
const LARGEST_FILE = 1024 * 1024

/**
 * A value that is never shown, however this object is printed, and that follows its file where it came from one.
 * `T` is what the text is understood as: a string for most, a table for callers' keys.
 */
export class Secret<T = string> implements FollowedFile {
  readonly name: string
  readonly #understand: (text: string) => T
  readonly #path: string | undefined
  #text: string
  #value: T
  #previous: T | undefined
  #log: SecretLog | undefined
  #changed: (() => void) | undefined
  #bad: string | undefined
  #badValues = 0

  /** @throws {SecretError} that says what is wrong with the text or the file, without quoting it. */
  constructor(name: string, source: { text: string } | { path: string }, understand: (text: string) => T) {
    this.name = name
    this.#understand = understand
    this.#path = 'path' in source ? source.path : undefined
    this.#text = 'path' in source ? readSecretFile(source.path) : source.text
    this.#value = understand(this.#text)
  }

  get isFromFile(): boolean {
    return this.#path !== undefined
  }

  /** Whether its file now holds something that cannot be used, so that the last good value is kept. */
  get isFileBad(): boolean {
    return this.#bad !== undefined
  }

  /** How often the file was changed to something that cannot be used. */
  get badValues(): number {
    return this.#badValues
  }

  reveal(): T {
    return this.#value
  }

  /** The value, and the one before it: others may still accept that. */
  known(): T[] {
    return this.#previous === undefined ? [this.#value] : [this.#value, this.#previous]
  }

  /**
   * Follows the file from now on. By polling, since fs.watch goes deaf once the symlink that Kubernetes puts in the place of
   * a secret is swapped.
   */
  follow(log: SecretLog, changed?: () => void): void {
    this.#log = log
    this.#changed = changed
    if (this.#path === undefined) return
    watchFile(this.#path, { interval: LOOK_EVERY_MS, persistent: false }, this.#look)
    // watchFile misses a change made between our first read and its first poll; look once more.
    setTimeout(this.#look, 2 * LOOK_EVERY_MS).unref()
  }

  unfollow(): void {
    if (this.#path !== undefined) unwatchFile(this.#path, this.#look)
  }

  /** Reads the file again at once; true where it held a new good value. */
  refresh(): boolean {
    if (this.#path === undefined) return false
    let text: string | undefined
    try {
      text = readSecretFile(this.#path)
      if (text === this.#text) {
        this.#restored()
        return false
      }
      const value = this.#understand(text)
      this.#previous = this.#value
      this.#value = value
    } catch (error) {
      this.#complain(error, text)
      return false
    }
    this.#text = text
    this.#bad = undefined
    this.#log?.info({ secret: this.name }, 'secret file changed, new value in use')
    this.#changed?.()
    return true
  }

  /** Once for each bad value: it is read again at every call that Zendesk refuses. */
  #complain(error: unknown, text: string | undefined): void {
    const why = error instanceof SecretError ? error.message : 'unreadable'
    if (this.#bad === (text ?? why)) return
    this.#bad = text ?? why
    this.#badValues += 1
    this.#log?.error(
      { secret: this.name, why },
      'secret file changed, but its value is bad: keeping the last good one',
    )
  }

  /** The file holds the value in use again. */
  #restored(): void {
    if (this.#bad === undefined) return
    this.#bad = undefined
    this.#log?.info({ secret: this.name }, 'secret file restored, same value in use')
  }

  readonly #look = (): void => {
    this.refresh()
  }

  toString(): string {
    return `[secret ${this.name}]`
  }

  toJSON(): string {
    return this.toString()
  }

  [inspect.custom](): string {
    return this.toString()
  }
}

/** Says what a secret should be, never what it is. */
export class SecretError extends Error {}

/** Says what the file of a secret should be. */
export class SecretFileError extends SecretError {}

/** What metrics tell of a file that is followed. */
export interface FollowedFile {
  readonly name: string
  readonly isFileBad: boolean
  readonly badValues: number
}

export interface SecretLog {
  info(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** @throws {SecretFileError} */
export function readSecretFile(path: string): string {
  try {
    const stat = statSync(path)
    if (!stat.isFile() || stat.size > LARGEST_FILE)
      throw new SecretFileError('a regular file of at most 1 MiB')
    return decode(readFileSync(path)).replace(/\r?\n$/, '')
  } catch (error) {
    if (error instanceof SecretError) throw error
    const code = errorCode(error) ?? 'unreadable'
    throw new SecretFileError(`a file that can be read (${code})`, { cause: error })
  }
}

/** Without the byte order mark with which some editors begin a file: it does not belong to the text. */
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new SecretFileError('a file in UTF-8', { cause: error })
  }
}
