import { ServerResponse, type IncomingMessage } from 'node:http'

/**
 * A response that is not written where its client can no longer read it, whatever route or error writer ends it; its `close`
 * comes with that of the socket. On Node 20, many writes to such sockets make V8 allocate what node:http binds to each later
 * response in old space, where it survives until a mark-compact.
 */
export class Answer<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  override writeHead(...words: unknown[]): this {
    return this.#hasReader ? super.writeHead(...(words as Parameters<ServerResponse['writeHead']>)) : this
  }

  override end(...words: unknown[]): this {
    return this.#hasReader ? super.end(...(words as Parameters<ServerResponse['end']>)) : this
  }

  get #hasReader(): boolean {
    return this.req.socket.writable
  }
}
