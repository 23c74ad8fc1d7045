import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/**
 * A file that is served from memory: read and compressed once, at the first request. A stream for each answer would keep
 * its descriptor for ever where the client leaves (Node 20, nodejs/node#62534).
 */
export class StoredFile {
  readonly type: string
  readonly #read: () => Promise<Buffer>
  #content: Promise<Content> | undefined

  constructor(type: string, read: () => Promise<Buffer>) {
    this.type = type
    this.#read = read
  }

  static of(type: string, text: string): StoredFile {
    return new StoredFile(type, () => Promise.resolve(Buffer.from(text)))
  }

  content(): Promise<Content> {
    this.#content ??= this.#load().catch((error: unknown) => {
      // Such as EMFILE: the next request reads it again.
      this.#content = undefined
      throw error
    })
    return this.#content
  }

  async #load(): Promise<Content> {
    const plain = await this.#read()
    const version = createHash('sha256').update(plain).digest('base64url').slice(0, 16)
    return { plain, gzipped: await compress(plain, { level: 9 }), version }
  }
}

export interface Content {
  plain: Buffer
  gzipped: Buffer
  /** Of these bytes: another content has another version. */
  version: string
}

const compress = promisify(gzip)
