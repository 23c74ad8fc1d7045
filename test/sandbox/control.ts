import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { ReceivedRequest } from './exchange.js'
import { readFault } from './fault-reader.js'
import type { FaultBoard } from './faults.js'

interface SandboxState {
  faults: FaultBoard
  requests: ReceivedRequest[]
}

type Reply = [status: number, value: unknown]

/** `/sandbox/*`: faults and received requests for tests and people outside this process. */
export async function control(request: IncomingMessage, response: ServerResponse, state: SandboxState) {
  const body = await text(request)
  const [status, value] = reply(`${request.method ?? ''} ${request.url ?? ''}`, body, state)
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
  response.end(`${JSON.stringify(value)}\n`)
}

function reply(operation: string, body: string, { faults, requests }: SandboxState): Reply {
  switch (operation) {
    case 'PUT /sandbox/faults':
      return replaceFaults(faults, body)
    case 'GET /sandbox/faults':
      return [200, faults.list()]
    case 'DELETE /sandbox/faults':
      faults.clear()
      return [200, []]
    case 'GET /sandbox/requests':
      return [200, requests.map(redacted)]
    case 'DELETE /sandbox/requests':
      requests.length = 0
      return [200, []]
    default:
      return [404, { error: 'there are GET, PUT, DELETE /sandbox/faults and GET, DELETE /sandbox/requests' }]
  }
}

/** All or none: a bad fault in the list leaves the board as it was. */
function replaceFaults(faults: FaultBoard, body: string): Reply {
  try {
    const value: unknown = JSON.parse(body)
    const wanted = [value].flat().map(readFault)
    faults.clear()
    for (const fault of wanted) faults.post(fault)
    return [200, faults.list()]
  } catch (error) {
    return [400, { error: error instanceof Error ? error.message : 'not a fault' }]
  }
}

function redacted(received: ReceivedRequest): ReceivedRequest {
  const { headers, rawHeaders, body } = received
  return {
    ...received,
    headers: headers['authorization'] === undefined ? headers : { ...headers, authorization: '[redacted]' },
    rawHeaders: rawHeaders.map((item, index) =>
      index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization' ? '[redacted]' : item,
    ),
    body: body.replaceAll(/("client_secret"\s*:\s*)"(?:[^"\\]|\\.)*"/g, '$1"[redacted]"'),
  }
}
