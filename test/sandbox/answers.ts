import { STATUS_CODES } from 'node:http'

/** An answer before the usual headers of Zendesk are added. */
export interface Answer {
  status: number
  body: string
  /** Absent: no content-type is sent. */
  contentType?: string
  /** Replace the ordinary ones of the same name; an empty array takes one away. */
  headers?: Record<string, string | string[]>
  /** Answered by the edge: Zendesk's own headers (rate limit, request id, runtime) are missing. */
  edge?: boolean
}

/** The answer with this status, in the given shape or in the one that Zendesk most likely uses. */
export function answerOf(status: number, shape = usualShape(status)): Answer {
  if (!isShape(shape)) throw new TypeError(`no such shape: ${shape}`)
  const { body, ...rest }: Omit<Answer, 'status'> = shapes[shape]
  return {
    ...rest,
    status,
    body: body.replaceAll('{status}', `${status} ${STATUS_CODES[status] ?? ''}`.trim()),
  }
}

export function shapeNames(): string[] {
  return Object.keys(shapes)
}

function isShape(name: string): name is keyof typeof shapes {
  return Object.hasOwn(shapes, name)
}

function usualShape(status: number): string {
  if ((status >= 520 && status < 528) || status === 530) return 'cf-error'
  return usual[status] ?? (status >= 500 ? 'html' : 'empty')
}

const usual: Record<number, keyof typeof shapes> = {
  400: 'errors-list',
  401: 'not-authenticated',
  403: 'forbidden',
  404: 'record-not-found',
  406: 'not-acceptable',
  409: 'database-conflict',
  422: 'record-invalid',
  429: 'rate-limited',
}

const json = 'application/json; charset=utf-8'
const html = 'text/html; charset=utf-8'
const plain = 'text/plain; charset=UTF-8'

// The texts are Zendesk's own, as its users and its documentation show them.
const shapes = {
  empty: { body: '' },
  html: {
    body: '<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n',
    contentType: 'text/html',
    edge: true,
  },
  plain: { body: 'Something went wrong. Please try again later.', contentType: plain },
  'json-as-plain': { body: '{"error":"RecordNotFound","description":"Not found"}', contentType: plain },
  'not-authenticated': {
    body: `{"error":"Couldn't authenticate you"}`,
    contentType: json,
    headers: { 'WWW-Authenticate': 'Basic realm="Web Password"' },
  },
  'invalid-token': {
    body: '{"error":"invalid_token","error_description":"The access token provided is expired, revoked, malformed or invalid for other reasons."}',
    contentType: json,
  },
  'invalid-client': {
    body: '{"error":"invalid_client","error_description":"Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method."}',
    contentType: json,
  },
  'invalid-scope': {
    body: '{"error":"invalid_scope","error_description":"The requested scope is invalid, unknown, or malformed."}',
    contentType: json,
  },
  'invalid-grant': {
    body: '{"error":"invalid_grant","error_description":"The provided authorization grant is invalid, expired, revoked, or was issued to another client."}',
    contentType: json,
  },
  'invalid-request': {
    body: '{"error":"invalid_request","error_description":"The request is missing a required parameter, includes an unsupported parameter value, or is otherwise malformed."}',
    contentType: json,
  },
  forbidden: {
    body: '{"error":{"title":"Forbidden","message":"You do not have access to this page. Please contact the account owner of this help desk for further help."}}',
    contentType: json,
  },
  'missing-scopes': {
    body: '{"error":"Forbidden","description":"You are missing the following required scopes: read"}',
    contentType: json,
  },
  'cf-challenge': {
    body: '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title><meta name="robots" content="noindex,nofollow"></head><body><noscript>Enable JavaScript and cookies to continue</noscript></body></html>',
    contentType: 'text/html; charset=UTF-8',
    headers: { 'cf-mitigated': 'challenge' },
    edge: true,
  },
  'cf-1010': { body: 'error code: 1010', contentType: plain, edge: true },
  'cf-denied': {
    body: '<!DOCTYPE html><html><head><title>Access denied | sandbox.zendesk.com used Cloudflare to restrict access</title></head><body><h1>Error 1020</h1></body></html>',
    contentType: 'text/html; charset=UTF-8',
    edge: true,
  },
  'record-not-found': { body: '{"error":"RecordNotFound","description":"Not found"}', contentType: json },
  'invalid-endpoint': { body: '{"error":"InvalidEndpoint","description":"Not found"}', contentType: json },
  'no-help-desk': {
    body: '{"error":{"title":"No help desk at sandbox.zendesk.com","message":"There is no help desk configured at this address. This means that the address is available and that you can claim it at http://www.zendesk.com/signup"}}',
    contentType: json,
  },
  'help-center-closed': {
    body: '<!DOCTYPE html>\n<html>\n<head><title>Help Center Closed | Zendesk</title></head>\n<body><h1>Oops, this help center no longer exists</h1></body>\n</html>\n',
    contentType: html,
  },
  'not-acceptable': { body: '{"error":"NotAcceptable"}', contentType: json },
  'database-conflict': {
    body: '{"error":"DatabaseConflict","description":"Database collision"}',
    contentType: json,
  },
  'record-invalid': {
    body: '{"error":"RecordInvalid","description":"Record validation errors","details":{"email":[{"description":"Email: nobody is not properly formatted"}]}}',
    contentType: json,
  },
  'errors-list': {
    body: '{"errors":[{"code":"InvalidPaginationDepth","title":"Invalid Pagination Depth","detail":"Page number too deep"}]}',
    contentType: json,
  },
  // The trailing blank and the unrelated subject are in the recorded reply.
  'rate-limited': {
    body: 'You have exceeded the rate limit for updating a single unique user. user email:  id:  external_id: ',
    contentType: plain,
    headers: { 'Retry-After': '27' },
  },
  'rate-limited-json': {
    body: '{"error":"APIRateLimitExceeded","description":"Number of allowed API requests per minute exceeded"}',
    contentType: json,
    headers: { 'Retry-After': '93' },
  },
  'rate-limited-html': {
    body: '<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>',
    contentType: html,
    headers: { 'Retry-After': '27' },
  },
  // With retry-after a 503 means a database timeout or deadlock, without it maintenance: that is 'html'.
  'database-timeout': { body: '', headers: { 'Retry-After': '30' } },
  'cf-error': { body: 'error code: {status}', contentType: plain, edge: true },
} as const satisfies Record<string, Omit<Answer, 'status'>>
