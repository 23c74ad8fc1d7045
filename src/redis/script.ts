import { createHash } from 'node:crypto'

/** A Lua script on one key. Redis keeps scripts by their SHA-1, so that the text travels once. */
export class RedisScript {
  readonly text: string
  readonly digest: string

  constructor(text: string) {
    this.text = text
    this.digest = createHash('sha1').update(text).digest('hex')
  }
}
