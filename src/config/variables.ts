/**
 * Every environment variable of this service: its JSON Schema, and in `should` what the operator is told it should be. The only
 * place where they are listed; README and .env.example are held against it by a test.
 */
export const variables = {
  HOST: {
    ...word('an IP address without brackets, or a host name, to listen on, e.g. 127.0.0.1 or 0.0.0.0'),
    default: '127.0.0.1',
  },
  PORT: { ...integer('a port number from 0 to 65535', 0, 65_535), default: 3000 },
  TLS_CERT_FILE: text('the path of a PEM file with the certificate of this service and its chain'),
  TLS_KEY_FILE: text('the path of a PEM file with the private key of that certificate'),
  TLS_CLIENT_CA_FILE: text('the path of a PEM file with the authorities of client certificates'),
  LOG_LEVEL: {
    type: 'string',
    enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    default: 'info',
    anyCase: true,
    should: 'trace, debug, info, warn, error, fatal or silent',
  },

  ZENDESK_SUBDOMAIN: {
    type: 'string',
    pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
    should: 'the first label of your zendesk.com address in lower case, e.g. acme for acme.zendesk.com',
  },
  ZENDESK_URL: word('an origin like https://acme.zendesk.com, without path, query or user'),
  ZENDESK_ALLOW_HTTP: flag('true (credentials go in clear) or false', false),
  ZENDESK_OAUTH_CLIENT_ID: word('the identifier of a confidential OAuth client, without blanks'),
  ZENDESK_OAUTH_CLIENT_SECRET: text('the secret of that OAuth client'),
  ZENDESK_OAUTH_SCOPE: {
    type: 'string',
    pattern: '^[!#-\\[\\]-~]+( [!#-\\[\\]-~]+)*$',
    default: 'read',
    should: 'OAuth scopes separated by single spaces, e.g. read',
  },
  ZENDESK_OAUTH_TOKEN: text('an OAuth access token'),
  ZENDESK_EMAIL: {
    type: 'string',
    pattern: '^[^\\s\\p{C}:@]+@[^\\s\\p{C}:@/]+$',
    should: "the user's e-mail address, without /token",
  },
  ZENDESK_API_TOKEN: text('an API token of the account'),
  ZENDESK_PASSWORD: text("that user's password"),
  ZENDESK_TIMEOUT_MS: { ...integer('milliseconds from 100 to 120000', 100, 120_000), default: 5000 },
  ZENDESK_BUDGET_PER_MINUTE: {
    ...integer('calls a minute from 1 to 100000, or 0 for no budget', 0, 100_000),
    default: 100,
  },

  HTTPS_PROXY: text(
    'the http or https address of a forward proxy, like http://user:password@proxy.example:3128',
  ),
  HTTP_PROXY: text(
    'the http or https address of a forward proxy, like http://user:password@proxy.example:3128',
  ),
  NO_PROXY: text('names, addresses and CIDR ranges separated by commas, or *'),

  CALLER_KEYS: text('entries name:sha256-hex, separated by commas, spaces or new lines'),
  CALLER_RATE_PER_MINUTE: {
    ...integer('requests a minute from 1 to 1000000, or 0 for no limit', 0, 1_000_000),
    default: 600,
  },
  // OpenID Connect Discovery, section 3: an issuer has no query and no fragment.
  JWT_ISSUER: words(
    'the https address of an OpenID issuer, without query, or several with commas between',
    '?#',
  ),
  JWT_AUDIENCE: words('the audience that tokens for this service name, or several with commas between'),
  JWT_JWKS_URL: word("the https address of the issuer's keys"),
  JWT_ALLOW_HTTP: flag('true (issuers and their keys are trusted in clear) or false', false),
  // A scope-token of RFC 6749, section 3.3: it also stands in www-authenticate.
  JWT_SCOPE: {
    type: 'string',
    pattern: '^[!#-\\[\\]-~]+$',
    should: 'one scope, role or permission, without blanks and quotation marks',
  },
  ALLOW_ANONYMOUS_CALLERS: flag('true (anyone who reaches the port may renew) or false', false),
  CORS_ORIGINS: text(
    'exact origins separated by commas, e.g. https://app.example.com, capacitor://localhost',
  ),
  TRUST_PROXY: text('addresses, with or without a port, or CIDR ranges separated by commas, e.g. 10.0.0.0/8'),
  REDIS_URL: text('a redis: or rediss: address, of one or several hosts, without query'),
  REDIS_MODE: {
    type: 'string',
    enum: ['single', 'sentinel', 'cluster'],
    default: 'single',
    should: 'single, sentinel (the hosts of REDIS_URL are sentinels) or cluster',
  },
  REDIS_SENTINEL_NAME: {
    ...word('the name by which the sentinels know the master, e.g. mymaster'),
    default: 'mymaster',
  },
  REDIS_SENTINEL_PASSWORD: text('the password of the sentinels'),
  PUBLIC_URL: word('the http or https address at which callers reach this service, without query'),
  DOCS: flag('true or false', true),
  METRICS_PORT: integer('a port number from 0 to 65535', 0, 65_535),
  OTEL_EXPORTER_OTLP_ENDPOINT: word(
    'the http or https address of an OpenTelemetry collector, without query',
    '?#',
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: word('the http or https address to which traces are posted'),
  OTEL_EXPORTER_OTLP_PROTOCOL: text('http/protobuf or http/json'),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: text('http/protobuf or http/json'),
  OTEL_TRACES_EXPORTER: { ...text('otlp or none'), default: 'otlp' },
  OTEL_SDK_DISABLED: { ...flag('true or false', false), anyCase: true },
  SHUTDOWN_DELAY_MS: { ...integer('milliseconds from 0 to 300000', 0, 300_000), default: 0 },
  SHUTDOWN_GRACE_MS: { ...integer('milliseconds from 0 to 300000', 0, 300_000), default: 10_000 },

  DEBUG: {
    type: 'string',
    not: { pattern: '(^|[\\s,])(\\*|ioredis)' },
    should: 'unset, or without ioredis and *: ioredis would print the password of Redis',
  },
  NODE_DEBUG: {
    type: 'string',
    not: { pattern: '(^|,)\\s*(\\*|http|https|tls|net|undici|fetch)\\s*(,|$)' },
    should: 'unset, or without http, https, tls, net, undici, fetch and *: Node would print what it sends',
  },
  NODE_OPTIONS: {
    type: 'string',
    not: { pattern: '--(tls-keylog|trace-tls|insecure-http-parser)' },
    should:
      'without --tls-keylog, --trace-tls and --insecure-http-parser, which give traffic away or weaken its checks',
  },
  NODE_TLS_REJECT_UNAUTHORIZED: {
    type: 'string',
    not: { const: '0' },
    should:
      'unset: certificates are always verified here; name an authority of your own in NODE_EXTRA_CA_CERTS',
  },
} as const

/** The secrets: each can come as NAME_FILE instead, the path of a file that is followed. */
export const secretNames = [
  'ZENDESK_OAUTH_CLIENT_SECRET',
  'ZENDESK_OAUTH_TOKEN',
  'ZENDESK_API_TOKEN',
  'ZENDESK_PASSWORD',
  'CALLER_KEYS',
  'REDIS_URL',
  'REDIS_SENTINEL_PASSWORD',
  'HTTPS_PROXY',
] as const satisfies (keyof typeof variables)[]

export type SecretName = (typeof secretNames)[number]

export type Environment = {
  [Name in keyof typeof variables]: Value<(typeof variables)[Name]>
} & { [Name in SecretName as `${Name}_FILE`]: string | undefined }

/** The JSON Schema of the environment, made from the table above. One object, so that Ajv compiles it once. */
export const environmentSchema = makeSchema()

function makeSchema(): Record<string, unknown> {
  const files = secretNames.map((name) => [`${name}_FILE`, { type: 'string' }] as const)
  const all = [...Object.entries(variables), ...files]
  return {
    type: 'object',
    properties: Object.fromEntries(all.map(([name, schema]) => [name, withoutOurs(schema)])),
  }
}

/** Whether its value may be written in any case. */
export function isOfAnyCase(name: string): boolean {
  return isVariable(name) && 'anyCase' in variables[name]
}

export function isSecret(name: string): name is SecretName {
  return secretNames.some((secret) => secret === name)
}

export function isVariable(name: string): name is keyof typeof variables {
  return Object.hasOwn(variables, name)
}

type Value<Schema> = Schema extends { default: unknown } ? Read<Schema> : Read<Schema> | undefined

type Read<Schema> = Schema extends { enum: readonly (infer Choice)[] }
  ? Choice
  : Schema extends { type: 'integer' }
    ? number
    : Schema extends { type: 'boolean' }
      ? boolean
      : string

/** Ajv is strict about keywords that it does not know. */
function withoutOurs(schema: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== 'should' && key !== 'anyCase'))
}

function text(should: string): { type: 'string'; should: string } {
  return { type: 'string', should }
}

/** Without blanks and whatever else cannot be seen (\p{C}: control and format characters), and without those of `except`. */
function word(should: string, except = ''): { type: 'string'; pattern: string; should: string } {
  return { type: 'string', pattern: `^[^\\s\\p{C}${except}]+$`, should }
}

/** One or several of them, separated by commas that a space may follow. */
function words(should: string, except = ''): { type: 'string'; pattern: string; should: string } {
  const word = `[^,\\s\\p{C}${except}]+`
  return { type: 'string', pattern: `^${word}(, ?${word})*$`, should }
}

function integer(should: string, minimum: number, maximum: number) {
  return { type: 'integer', minimum, maximum, should } as const
}

function flag(should: string, fallback: boolean) {
  return { type: 'boolean', default: fallback, should } as const
}
