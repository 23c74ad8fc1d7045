import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A forward proxy: tunnels, absolute form, a password where one is given, and refusals on demand. */
export class TestProxy {
  /** What it was asked for: the target of each request. */
  readonly asked: string[] = []
  /** With this status it refuses. */
  refuses: number | undefined
  /** It accepts, and says nothing. */
  silent = false
  /** `user:password`. */
  password: string | undefined
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #port: number

  static async start(t: Test, port = 0): Promise<TestProxy> {
    const server = createServer()
    await once(server.listen(port, '127.0.0.1'), 'listening')
    const proxy = new TestProxy(server, (server.address() as AddressInfo).port)
    t.teardown(() => {
      proxy.kill()
    })
    return proxy
  }

  private constructor(server: Server, port: number) {
    this.#server = server
    this.#port = port
    server
      .on('connection', (socket: Socket) => {
        this.#sockets.add(socket)
        socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket))
      })
      .on('connect', (asked: IncomingMessage, socket: Socket) => {
        this.#tunnel(asked, socket)
      })
      .on('request', (asked: IncomingMessage, answer: ServerResponse) => {
        this.#forward(asked, answer)
      })
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** With everything that goes through it. */
  kill(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #tunnel(asked: IncomingMessage, socket: Socket): void {
    const refusal = this.#note(asked)
    if (this.silent) return
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal} No\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    const [host, port] = (asked.url ?? '').split(':')
    const far = connect(Number(port), host)
    this.#sockets.add(far)
    far
      .on('error', () => socket.destroy())
      .on('close', () => {
        this.#sockets.delete(far)
        socket.destroy()
      })
      .once('connect', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        far.pipe(socket).pipe(far)
      })
    socket.on('close', () => far.destroy())
  }

  #forward(asked: IncomingMessage, answer: ServerResponse): void {
    const refusal = this.#note(asked)
    if (this.silent) return
    if (refusal !== undefined) {
      answer.writeHead(refusal, { server: 'tinyproxy/1.11.1' }).end()
      return
    }
    const headers = { ...asked.headers }
    delete headers['proxy-authorization']
    const on = request(asked.url ?? '', { method: asked.method, headers }, (said) => {
      answer.writeHead(said.statusCode ?? 0, said.rawHeaders)
      said.pipe(answer)
    })
    on.on('error', () => answer.writeHead(502, { server: 'tinyproxy/1.11.1' }).end())
    asked.pipe(on)
  }

  /** The status of the refusal, if there is one. */
  #note({ url = '', headers }: IncomingMessage): number | undefined {
    this.asked.push(url)
    const [, given = ''] = (headers['proxy-authorization'] ?? '').split(' ')
    const wrong = this.password !== undefined && Buffer.from(given, 'base64').toString() !== this.password
    return wrong ? 407 : this.refuses
  }
}
