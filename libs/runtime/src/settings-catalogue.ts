import { POSTGRES_URL_EXAMPLE } from '@posthorn/protocol';

/** The two services that read settings. */
export type ServiceName = 'send-api' | 'ws-gateway';

/** How a setting's text is read; `settings-readers.ts` has one reader for each. */
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

/** One setting: what the reference prints, what the reader checks. */
export interface Setting {
  /** One line for the reference. */
  readonly meaning: string;
  /** Used when the variable is unset or empty; by service where they differ; absent: unset (or required). */
  readonly default?: string | Readonly<Record<ServiceName, string>>;
  /** Whether the service refuses to start without it. */
  readonly required?: true;
  /** A value that is accepted. */
  readonly example: string;
  readonly services: readonly ServiceName[];
  readonly kind: SettingKind;
  /** Whether the value may hold a credential: it is then never shown. */
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
    meaning: 'Public port; 0 takes any free one.',
    default: { 'send-api': '3000', 'ws-gateway': '3001' },
    example: '3000',
    services: both,
    kind: 'integer',
    minimum: 0,
    maximum: 65_535,
  },
  ADMIN_PORT: {
    meaning: 'Port of health and metrics, never public; 0 takes any free one.',
    default: { 'send-api': '9300', 'ws-gateway': '9301' },
    example: '9300',
    services: both,
    kind: 'integer',
    minimum: 0,
    maximum: 65_535,
  },
  DATABASE_URL: {
    meaning: 'Where Postgres is.',
    required: true,
    example: POSTGRES_URL_EXAMPLE,
    services: both,
    kind: 'postgres-url',
    secret: true,
  },
  DATABASE_CONNECTIONS: {
    meaning:
      'Connections to Postgres of one process, for messages, acknowledgements and connects; it opens up to 4 more for the rest, send-api one more now and then.',
    default: '10',
    example: '10',
    services: both,
    kind: 'integer',
    minimum: 3,
    maximum: 200,
  },
  REDIS_URL: {
    meaning:
      'Where Redis is: one server, the sentinels of a master, or nodes of a Cluster. With TLS: rediss for redis.',
    required: true,
    example: 'redis://localhost:6379',
    services: both,
    kind: 'redis-url',
    secret: true,
  },
  REDIS_PREFIX: {
    meaning: 'Put before every Redis key and channel, so that deployments can share one Redis.',
    default: 'posthorn:',
    example: 'posthorn:',
    services: both,
    kind: 'key-prefix',
  },
  AUTH_JWT_SECRET: {
    meaning: 'Secret of HS256 tokens, 32 bytes or more. Exactly one of this and AUTH_JWKS_URL.',
    example: 'the output of: openssl rand -base64 48',
    services: both,
    kind: 'secret',
    secret: true,
  },
  AUTH_JWKS_URL: {
    meaning: 'Key set for RS256, ES256 and EdDSA tokens. Exactly one of this and AUTH_JWT_SECRET.',
    example: 'https://login.example.com/.well-known/jwks.json',
    services: both,
    kind: 'http-url',
    secret: true,
  },
  AUTH_ISSUER: {
    meaning: "When set, a token's `iss` has to be this.",
    example: 'https://login.example.com/',
    services: both,
    kind: 'text',
  },
  AUTH_AUDIENCE: {
    meaning: "When set, a token's `aud` has to be or to contain this.",
    example: 'posthorn',
    services: both,
    kind: 'text',
  },
  ADMIN_TOKEN: {
    meaning: 'Bearer token of the inspector on the admin port, 32 bytes or more; unset: no inspector.',
    example: 'the output of: openssl rand -base64 48',
    services: both,
    kind: 'secret',
    secret: true,
  },
  ALLOWED_ORIGINS: {
    meaning: "Browsers' origins that may use the service, exact and comma-separated, or `*` for all.",
    example: 'https://app.example.com,http://localhost:5173',
    services: both,
    kind: 'origins',
  },
  MAX_RECIPIENTS: {
    meaning: 'Recipients of one message at most.',
    default: '1000',
    example: '1000',
    services: sendApi,
    kind: 'integer',
    minimum: 1,
    maximum: 10_000,
  },
  MAX_TEXT_CHARS: {
    meaning: "Code points of a message's text at most.",
    default: '8192',
    example: '8192',
    services: sendApi,
    kind: 'integer',
    minimum: 1,
    maximum: 1_000_000,
  },
  MAX_DATA_BYTES: {
    meaning: "Bytes of a message's data, as compact JSON, at most.",
    default: '16384',
    example: '16384',
    services: sendApi,
    kind: 'integer',
    minimum: 2,
    maximum: 1_048_576,
  },
  MAX_BODY_BYTES: {
    meaning: 'Bytes of an HTTP request body at most; checked before everything else.',
    default: '262144',
    example: '262144',
    services: sendApi,
    kind: 'integer',
    minimum: 128,
    maximum: 16_777_216,
  },
  OFFLINE_LIST_MAX: {
    meaning: "Entries kept in one user's offline list in Redis at most.",
    default: '1000',
    example: '1000',
    services: both,
    kind: 'integer',
    minimum: 1,
    maximum: 100_000,
  },
  OFFLINE_LIST_TTL_S: {
    meaning: "Seconds that one user's offline list lives in Redis.",
    default: '604800',
    example: '604800',
    services: both,
    kind: 'integer',
    minimum: 1,
    maximum: 31_536_000,
  },
  RECONCILE_INTERVAL_MS: {
    meaning: 'How often a gateway compares what it sent with the inboxes: the longest wait for a message.',
    default: '15000',
    example: '15000',
    services: gateway,
    kind: 'integer',
    minimum: 50,
    maximum: 600_000,
  },
  DELIVERY_WINDOW: {
    meaning: 'Messages that a connection may have in flight, sent and not acknowledged.',
    default: '256',
    example: '256',
    services: gateway,
    kind: 'integer',
    minimum: 1,
    maximum: 10_000,
  },
  HEARTBEAT_MS: {
    meaning: 'Interval of pings; a peer that is silent for 1.5 of them is dropped.',
    default: '25000',
    example: '25000',
    services: gateway,
    kind: 'integer',
    minimum: 50,
    maximum: 600_000,
  },
  UPGRADE_TIMEOUT_MS: {
    meaning: 'From the upgrade request to the welcome at most; else 503.',
    default: '5000',
    example: '5000',
    services: gateway,
    kind: 'integer',
    minimum: 50,
    maximum: 60_000,
  },
  MAX_CONNECTIONS_PER_USER: {
    meaning: 'Connections of one user at most; the next one is refused with 429.',
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
    meaning: 'How long a paused connection may make no progress before it is closed with 4413.',
    default: '30000',
    example: '30000',
    services: gateway,
    kind: 'integer',
    minimum: 50,
    maximum: 600_000,
  },
  RATE_LIMIT_SENDS: {
    meaning: 'Sends per user and second, sustained; the burst is 4 times that; 0 is off.',
    default: '50',
    example: '50',
    services: sendApi,
    kind: 'integer',
    minimum: 0,
    maximum: 1_000_000,
  },
  RATE_LIMIT_FRAMES: {
    meaning: 'Frames per connection and second, sustained; the burst is 4 times that; 0 is off.',
    default: '100',
    example: '100',
    services: gateway,
    kind: 'integer',
    minimum: 0,
    maximum: 1_000_000,
  },
  RETENTION_DAYS: {
    meaning:
      'Days that messages are kept at least; the oldest leave an eighth of it later, and a day. Unset: for ever.',
    example: '365',
    services: sendApi,
    kind: 'integer',
    minimum: 2,
    maximum: 36_500,
  },
  DRAIN_MS: {
    meaning: 'How long a stop takes to move connections and requests away.',
    default: '10000',
    example: '10000',
    services: both,
    kind: 'integer',
    minimum: 0,
    maximum: 600_000,
  },
  WORKERS: {
    meaning: 'Processes of one service.',
    default: '1',
    example: '2',
    services: both,
    kind: 'integer',
    minimum: 1,
    maximum: 256,
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    meaning:
      "Where traces go, by OTLP over HTTP; unset: none. OpenTelemetry's other variables count as well, such as OTEL_TRACES_SAMPLER and OTEL_EXPORTER_OTLP_HEADERS.",
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

/** The default of one setting in one service, as text; `undefined` when it has none. */
export function defaultOf(name: SettingName, service: ServiceName): string | undefined {
  const value = settingOf(name).default;
  return typeof value === 'object' ? value[service] : value;
}
