import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { Test } from 'tap'

/** An OpenTelemetry collector, as far as the JSON form of OTLP over HTTP goes. */
export class Collector {
  readonly spans: ReceivedSpan[] = []
  /** Attributes of the resources that sent spans. */
  readonly resources: Record<string, unknown>[] = []
  /** Everything received, as text. */
  text = ''
  /** What it answers with. */
  status = 200
  /** Milliseconds by which each answer is late. */
  delayMs = 0
  readonly #server = createServer((request, response) => {
    void json(request).then((body) => {
      this.#receive(request.url ?? '', body as TracesRequest)
      response.writeHead(this.status, { 'content-type': 'application/json' })
      setTimeout(() => response.end('{"fake":"canary"}'), this.delayMs)
    })
  })

  static async start(t: Test): Promise<Collector> {
    const collector = new Collector()
    await once(collector.#server.listen(0, '127.0.0.1'), 'listening')
    t.teardown(() => {
      collector.#server.closeAllConnections()
      collector.#server.close()
    })
    return collector
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  named(name: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name)
  }

  #receive(path: string, body: TracesRequest): void {
    this.text += JSON.stringify(body)
    for (const { resource, scopeSpans } of body.resourceSpans) {
      this.resources.push(plain(resource.attributes))
      for (const span of scopeSpans.flatMap(({ spans }) => spans))
        this.spans.push({
          ...span,
          attributes: plain(span.attributes),
          events: span.events.map(({ name, attributes }) => ({ name, ...plain(attributes) })),
          path,
        })
    }
  }
}

export interface ReceivedSpan {
  name: string
  kind: number
  traceId: string
  spanId: string
  parentSpanId?: string
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: Record<string, unknown>
  status: { code: number }
  links: { traceId: string; spanId: string }[]
  /** Name and attributes, in their order. */
  events: Record<string, unknown>[]
  /** To which it was posted. */
  path: string
}

type Attributes = { key: string; value: Record<string, unknown> }[]

interface TracesRequest {
  resourceSpans: {
    resource: { attributes: Attributes }
    scopeSpans: { spans: SentSpan[] }[]
  }[]
}

type SentSpan = Omit<ReceivedSpan, 'attributes' | 'events' | 'path'> & {
  attributes: Attributes
  events: { name: string; attributes: Attributes }[]
}

function plain(attributes: Attributes): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}
