import { POSTGRES_URL_EXAMPLE } from '@posthorn/protocol';

/** The two services that read settings. */
export type ServiceName = 'send-api' | 'ws-gateway';

/** How a setting's text is read. `settings-readers.ts` has one reader for each kind. */
export type SettingKind =
  | 'integer'
  | 'postgres-url'
  | 'redis-url'
  | 'http-url'
  | 'secret'
  | 'text'
  | 'key-prefix'
  | 'origins'
  | 'log-level';

/** One setting, as the reference prints it and the reader checks it. */
export interface Setting {
  /** One line for the reference. */
  readonly meaning: string;
  /**
   * Used if the variable is unset or empty. An object has one default for each service. Without a default the setting
   * stays unset, or is required.
   */
  readonly default?: string | Readonly<Record<ServiceName, string>>;
  /** Whether the service refuses to start without it. */
  readonly required?: true;
  /** A value that is accepted. */
  readonly example: string;
  readonly services: readonly ServiceName[];
  readonly kind: SettingKind;
  /** Whether the value may hold a credential. If so, it is never shown. */
  readonly secret?: true;
  /** Inclusive, for integers. */
  readonly minimum?: number;
  /** Inclusive, for integers. */
  readonly maximum?: number;
}

const both = ['send-api', 'ws-gateway'] as const;
const sendApi = ['send-api'] as const;
const gateway = ['ws-gateway'] as const;

/** Every setting of both services, in the order of the reference. */
export const settingsCatalogue = {
  PORT: {
    meaning: 'Public port. 0 takes any free one.',
    default: { 'send-api': '3000', 'ws-gateway': '3001' },
    example: '3000',
    services: both,
    kind: 'integer',
    minimum: 0,
    maximum: 65_535,
  },
  ADMIN_PORT: {
    meaning: 'Port of health and metrics. Never make it public. 0 takes any free one.',
    default: { 'send-api': '9300', 'ws-gateway': '9301' },
    example: '9300',
    services: both,
    kind: 'integer',
    minimum: 0,
    maximum: 65_535,
  },
  DATABASE_URL: {
    meaning: 'Address of Postgres.',
    required: true,
    example: POSTGRES_URL_EXAMPLE,
    services: both,
    kind: 'postgres-url',
    secret: true,
  },
  DATABASE_CONNECTIONS: {
    meaning:
      'Postgres connections of one process for messages, acknowledgements and connects. Up to 4 more serve everything else (in send-api sometimes 5).',
    default: '10',
    example: '10',
    services: both,
    kind: 'integer',
    minimum: 3,
    maximum: 200,
  },
  REDIS_URL: {
    meaning:
      'Address of Redis: one server, the sentinels of a master, or nodes of a Cluster. For TLS, write rediss instead of redis.',
    required: true,
    example: 'redis://localhost:6379',
    services: both,
    kind: 'redis-url',
    secret: true,
  },
  REDIS_PREFIX: {
    meaning:
      'Prefix of every Redis key and channel. Deployments with different prefixes can share one Redis.',
    default: 'posthorn:',
    example: 'posthorn:',
    services: both,
    kind: 'key-prefix',
  },
  AUTH_JWT_SECRET: {
    meaning: 'Secret of HS256 tokens, 32 bytes or more. Set exactly one of this and AUTH_JWKS_URL.',
    example: 'the output of: openssl rand -base64 48',
    services: both,
    kind: 'secret',
    secret: true,
  },
  AUTH_JWKS_URL: {
    meaning: 'Key set for RS256, ES256 and EdDSA tokens. Set exactly one of this and AUTH_JWT_SECRET.',
    example: 'https://login.example.com/.well-known/jwks.json',
    services: both,
    kind: 'http-url',
    secret: true,
  },
  AUTH_ISSUER: {
    meaning: 'If set, the `iss` of a token must equal it.',
    example: 'https://login.example.com/',
    services: both,
    kind: 'text',
  },
  AUTH_AUDIENCE: {
    meaning: 'If set, the `aud` of a token must be or contain it.',
    example: 'posthorn',
    services: both,
    kind: 'text',
  },
  ADMIN_TOKEN: {
    meaning:
      'Bearer token of the inspector on the admin port, 32 bytes or more. Without it the inspector is off.',
    example: 'the output of: openssl rand -base64 48',
    services: both,
    kind: 'secret',
    secret: true,
  },
  ALLOWED_ORIGINS: {
    meaning: 'Origins of browsers that may use the service: exact and comma-separated, or `*` for all.',
    example: 'https://app.example.com,http://localhost:5173',
    services: both,
    kind: 'origins',
  },
  MAX_RECIPIENTS: {
    meaning: 'Largest number of recipients of one message.',
    default: '1000',
    example: '1000',
    services: sendApi,
    kind: 'integer',
    minimum: 1,
    maximum: 10_000,
  },
  MAX_TEXT_CHARS: {
    meaning: "Largest number of code points in a message's text.",
    default: '8192',
    example: '8192',
    services: sendApi,
    kind: 'integer',
    minimum: 1,
    maximum: 1_000_000,
  },
  MAX_DATA_BYTES: {
    meaning: "Largest size of a message's data, in bytes of compact JSON.",
    default: '16384',
    example: '16384',
    services: sendApi,
    kind: 'integer',
    minimum: 2,
    maximum: 1_048_576,
  },
  MAX_BODY_BYTES: {
    meaning: 'Largest size of an HTTP body in bytes, both as sent and after decompression.',
    default: '262144',
    example: '262144',
    services: sendApi,
    kind: 'integer',
    minimum: 128,
    maximum: 16_777_216,
  },
  OFFLINE_LIST_MAX: {
    meaning: "Largest number of entries in one user's offline list in Redis.",
    default: '1000',
    example: '1000',
    services: sendApi,
    kind: 'integer',
    minimum: 1,
    maximum: 100_000,
  },
  OFFLINE_LIST_TTL_S: {
    meaning: "Lifetime of one user's offline list in Redis, in seconds.",
    default: '604800',
    example: '604800',
    services: sendApi,
    kind: 'integer',
    minimum: 1,
    maximum: 31_536_000,
  },
  RECONCILE_INTERVAL_MS: {
    meaning:
      'How often a gateway compares what it sent with the inboxes. It is the longest wait for a message whose routing was lost.',
    default: '15000',
    example: '15000',
    services: gateway,
    kind: 'integer',
    minimum: 50,
    maximum: 600_000,
  },
  DELIVERY_WINDOW: {
    meaning: 'Largest number of messages sent to a connection and not acknowledged.',
    default: '256',
    example: '256',
    services: gateway,
    kind: 'integer',
    minimum: 1,
    maximum: 10_000,
  },
  HEARTBEAT_MS: {
    meaning: 'Interval of pings. A client that is silent for 1.5 intervals is dropped.',
    default: '25000',
    example: '25000',
    services: gateway,
    kind: 'integer',
    minimum: 50,
    maximum: 600_000,
  },
  UPGRADE_TIMEOUT_MS: {
    meaning: 'Longest time from the upgrade request to the welcome. After it the answer is 503.',
    default: '5000',
    example: '5000',
    services: gateway,
    kind: 'integer',
    minimum: 50,
    maximum: 60_000,
  },
  MAX_CONNECTIONS_PER_USER: {
    meaning: 'Largest number of connections of one user. The next one gets 429.',
    default: '20',
    example: '20',
    services: gateway,
    kind: 'integer',
    minimum: 1,
    maximum: 10_000,
  },
  MAX_BUFFERED_BYTES: {
    meaning: 'Unsent bytes of one connection at which sending to it pauses.',
    default: '1048576',
    example: '1048576',
    services: gateway,
    kind: 'integer',
    minimum: 1024,
    maximum: 268_435_456,
  },
  SLOW_CONSUMER_MS: {
    meaning:
      'Longest time that a paused connection may make no progress. After it the connection closes with 4413.',
    default: '30000',
    example: '30000',
    services: gateway,
    kind: 'integer',
    minimum: 50,
    maximum: 600_000,
  },
  RATE_LIMIT_SENDS: {
    meaning: 'Sends per user and second. The burst is 4 times that. 0 turns the limit off.',
    default: '50',
    example: '50',
    services: sendApi,
    kind: 'integer',
    minimum: 0,
    maximum: 1_000_000,
  },
  RATE_LIMIT_FRAMES: {
    meaning: 'Frames per connection and second. The burst is 4 times that. 0 turns the limit off.',
    default: '100',
    example: '100',
    services: gateway,
    kind: 'integer',
    minimum: 0,
    maximum: 1_000_000,
  },
  RETENTION_DAYS: {
    meaning:
      'Messages are kept at least this many days, and at most one eighth of that (rounded up) plus one day longer. Unset: for ever.',
    example: '365',
    services: sendApi,
    kind: 'integer',
    minimum: 2,
    maximum: 36_500,
  },
  DRAIN_MS: {
    meaning: 'Time that a stop takes to move connections and requests away.',
    default: '10000',
    example: '10000',
    services: both,
    kind: 'integer',
    minimum: 0,
    maximum: 600_000,
  },
  WORKERS: {
    meaning: 'Number of processes that do the work of one service.',
    default: '1',
    example: '2',
    services: both,
    kind: 'integer',
    minimum: 1,
    maximum: 256,
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    meaning:
      "Where traces go, by OTLP over HTTP. Unset: no traces. OpenTelemetry's other variables work, too, such as OTEL_TRACES_SAMPLER.",
    example: 'http://localhost:4318',
    services: both,
    kind: 'http-url',
  },
  LOG_LEVEL: {
    meaning: 'The least severe level that is logged: error, warn, info, http, verbose, debug or silly.',
    default: 'info',
    example: 'info',
    services: both,
    kind: 'log-level',
  },
} as const satisfies Record<string, Setting>;

/** The name of a setting, as in the environment. */
export type SettingName = keyof typeof settingsCatalogue;

/** The row of one setting. */
export function settingOf(name: SettingName): Setting {
  return settingsCatalogue[name];
}

/** The default of one setting in one service, as text; `undefined` if it has none. */
export function defaultOf(name: SettingName, service: ServiceName): string | undefined {
  const value = settingOf(name).default;
  return typeof value === 'object' ? value[service] : value;
}
