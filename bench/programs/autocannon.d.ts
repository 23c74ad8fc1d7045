declare module 'autocannon' {
  import type { EventEmitter } from 'node:events'

  interface Options {
    url: string
    connections: number
    duration: number
    timeout?: number
    headers?: Record<string, string>
  }

  interface Result {
    duration: number
    errors: number
    requests: { sent: number }
  }

  interface Instance extends EventEmitter, PromiseLike<Result> {}

  export default function autocannon(options: Options): Instance
}
