import { readFileSync } from 'node:fs';
import { findSecret, secretFileOf } from '@posthorn/protocol';
import { type CleanedEnv, cleanEnv, EnvMissingError } from 'envalid';
import {
  defaultOf,
  type ServiceName,
  type SettingName,
  settingOf,
  settingsCatalogue,
} from './settings-catalogue';
import { problemWith, type SettingProblem, SettingsError } from './settings-error';
import type { AllowedOrigins, LogLevel } from './settings-readers';
import { needed, optional } from './settings-specs';

/** Who signs tokens. Exactly one of `secret` and `jwksUrl` is set. */
export interface AuthSettings {
  readonly secret?: string;
  readonly jwksUrl?: string;
  readonly issuer?: string;
  readonly audience?: string;
}

/** The settings of both services. Names end in their unit. */
export interface CommonSettings {
  readonly port: number;
  readonly adminPort: number;
  readonly databaseUrl: string;
  readonly databaseConnections: number;
  readonly redisUrl: string;
  readonly redisPrefix: string;
  readonly auth: AuthSettings;
  /** The token of the inspector. If absent, the inspector is off. */
  readonly adminToken?: string;
  readonly allowedOrigins: AllowedOrigins;
  readonly drainMs: number;
  readonly workers: number;
  /** If absent, tracing is off. */
  readonly otlpEndpoint?: string;
  readonly logLevel: LogLevel;
}

export interface SendApiSettings extends CommonSettings {
  readonly maxRecipients: number;
  readonly maxTextChars: number;
  readonly maxDataBytes: number;
  readonly maxBodyBytes: number;
  readonly offlineListMax: number;
  readonly offlineListTtlS: number;
  readonly rateLimitSends: number;
  /** If absent, messages are kept for ever. */
  readonly retentionDays?: number;
}

export interface GatewaySettings extends CommonSettings {
  readonly reconcileIntervalMs: number;
  readonly deliveryWindow: number;
  readonly heartbeatMs: number;
  readonly upgradeTimeoutMs: number;
  readonly maxConnectionsPerUser: number;
  readonly maxBufferedBytes: number;
  readonly slowConsumerMs: number;
  readonly rateLimitFrames: number;
}

/** The environment, in the form of `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The settings of send-api, frozen.
 *
 * @throws SettingsError that lists every bad setting
 */
export function loadSendApiSettings(env: Environment): SendApiSettings {
  const service = 'send-api';
  const { given, unread } = withSecretFiles(withoutEmpty(env));
  const problems: SettingProblem[] = [];
  const values = cleanEnv(
    given,
    {
      ...commonSpecs(service),
      MAX_RECIPIENTS: needed('MAX_RECIPIENTS', service),
      MAX_TEXT_CHARS: needed('MAX_TEXT_CHARS', service),
      MAX_DATA_BYTES: needed('MAX_DATA_BYTES', service),
      MAX_BODY_BYTES: needed('MAX_BODY_BYTES', service),
      OFFLINE_LIST_MAX: needed('OFFLINE_LIST_MAX', service),
      OFFLINE_LIST_TTL_S: needed('OFFLINE_LIST_TTL_S', service),
      RATE_LIMIT_SENDS: needed('RATE_LIMIT_SENDS', service),
      RETENTION_DAYS: optional('RETENTION_DAYS'),
    },
    { reporter: ({ errors }) => problems.push(...problemsOf(errors)) },
  );
  refuse(service, problems, given, unread);
  return Object.freeze({
    ...commonSettings(values),
    maxRecipients: values.MAX_RECIPIENTS,
    maxTextChars: values.MAX_TEXT_CHARS,
    maxDataBytes: values.MAX_DATA_BYTES,
    maxBodyBytes: values.MAX_BODY_BYTES,
    offlineListMax: values.OFFLINE_LIST_MAX,
    offlineListTtlS: values.OFFLINE_LIST_TTL_S,
    rateLimitSends: values.RATE_LIMIT_SENDS,
    ...(values.RETENTION_DAYS === undefined ? {} : { retentionDays: values.RETENTION_DAYS }),
  });
}

/**
 * The settings of ws-gateway, frozen.
 *
 * @throws SettingsError that lists every bad setting
 */
export function loadGatewaySettings(env: Environment): GatewaySettings {
  const service = 'ws-gateway';
  const { given, unread } = withSecretFiles(withoutEmpty(env));
  const problems: SettingProblem[] = [];
  const values = cleanEnv(
    given,
    {
      ...commonSpecs(service),
      RECONCILE_INTERVAL_MS: needed('RECONCILE_INTERVAL_MS', service),
      DELIVERY_WINDOW: needed('DELIVERY_WINDOW', service),
      HEARTBEAT_MS: needed('HEARTBEAT_MS', service),
      UPGRADE_TIMEOUT_MS: needed('UPGRADE_TIMEOUT_MS', service),
      MAX_CONNECTIONS_PER_USER: needed('MAX_CONNECTIONS_PER_USER', service),
      MAX_BUFFERED_BYTES: needed('MAX_BUFFERED_BYTES', service),
      SLOW_CONSUMER_MS: needed('SLOW_CONSUMER_MS', service),
      RATE_LIMIT_FRAMES: needed('RATE_LIMIT_FRAMES', service),
    },
    { reporter: ({ errors }) => problems.push(...problemsOf(errors)) },
  );
  refuse(service, problems, given, unread);
  return Object.freeze({
    ...commonSettings(values),
    reconcileIntervalMs: values.RECONCILE_INTERVAL_MS,
    deliveryWindow: values.DELIVERY_WINDOW,
    heartbeatMs: values.HEARTBEAT_MS,
    upgradeTimeoutMs: values.UPGRADE_TIMEOUT_MS,
    maxConnectionsPerUser: values.MAX_CONNECTIONS_PER_USER,
    maxBufferedBytes: values.MAX_BUFFERED_BYTES,
    slowConsumerMs: values.SLOW_CONSUMER_MS,
    rateLimitFrames: values.RATE_LIMIT_FRAMES,
  });
}

function commonSpecs(service: ServiceName) {
  return {
    PORT: needed('PORT', service),
    ADMIN_PORT: needed('ADMIN_PORT', service),
    DATABASE_URL: needed('DATABASE_URL', service),
    DATABASE_CONNECTIONS: needed('DATABASE_CONNECTIONS', service),
    REDIS_URL: needed('REDIS_URL', service),
    REDIS_PREFIX: needed('REDIS_PREFIX', service),
    AUTH_JWT_SECRET: optional('AUTH_JWT_SECRET'),
    AUTH_JWKS_URL: optional('AUTH_JWKS_URL'),
    AUTH_ISSUER: optional('AUTH_ISSUER'),
    AUTH_AUDIENCE: optional('AUTH_AUDIENCE'),
    ADMIN_TOKEN: optional('ADMIN_TOKEN'),
    ALLOWED_ORIGINS: optional('ALLOWED_ORIGINS'),
    DRAIN_MS: needed('DRAIN_MS', service),
    WORKERS: needed('WORKERS', service),
    OTEL_EXPORTER_OTLP_ENDPOINT: optional('OTEL_EXPORTER_OTLP_ENDPOINT'),
    LOG_LEVEL: needed('LOG_LEVEL', service),
  };
}

function commonSettings(values: CleanedEnv<ReturnType<typeof commonSpecs>>): CommonSettings {
  return {
    port: values.PORT,
    adminPort: values.ADMIN_PORT,
    databaseUrl: values.DATABASE_URL,
    databaseConnections: values.DATABASE_CONNECTIONS,
    redisUrl: values.REDIS_URL,
    redisPrefix: values.REDIS_PREFIX,
    auth: Object.freeze({
      ...(values.AUTH_JWT_SECRET === undefined ? {} : { secret: values.AUTH_JWT_SECRET }),
      ...(values.AUTH_JWKS_URL === undefined ? {} : { jwksUrl: values.AUTH_JWKS_URL }),
      ...(values.AUTH_ISSUER === undefined ? {} : { issuer: values.AUTH_ISSUER }),
      ...(values.AUTH_AUDIENCE === undefined ? {} : { audience: values.AUTH_AUDIENCE }),
    }),
    ...(values.ADMIN_TOKEN === undefined ? {} : { adminToken: values.ADMIN_TOKEN }),
    allowedOrigins: values.ALLOWED_ORIGINS ?? NO_ORIGINS,
    drainMs: values.DRAIN_MS,
    workers: values.WORKERS,
    ...(values.OTEL_EXPORTER_OTLP_ENDPOINT === undefined
      ? {}
      : { otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT }),
    logLevel: values.LOG_LEVEL,
  };
}

const NO_ORIGINS: readonly string[] = Object.freeze([]);

/** An empty variable counts as unset, because deployment tools pass unset variables on as empty ones. */
function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, text]) => text !== undefined && text !== ''));
}

/**
 * Reads the settings that are given as a file (only those that may hold a credential). Returns the environment with
 * their texts, and in `unread` the files that could not be read.
 */
function withSecretFiles(env: Environment): { given: Environment; unread: SettingProblem[] } {
  const given: Record<string, string | undefined> = { ...env };
  const unread: SettingProblem[] = [];
  for (const name of Object.keys(settingsCatalogue) as SettingName[]) {
    if (settingOf(name).secret !== true || env[secretFileOf(name)] === undefined) continue;
    const found = findSecret(env, name, (path) => readFileSync(path, 'utf8'));
    if ('fault' in found) unread.push(problemWith(name, found.fault));
    else given[name] = found.text;
  }
  return { given, unread };
}

function problemsOf(errors: Partial<Record<SettingName, Error>>): SettingProblem[] {
  return Object.entries(errors)
    .filter((entry): entry is [SettingName, Error] => entry[1] !== undefined)
    .map(([name, error]) =>
      problemWith(name, error instanceof EnvMissingError ? 'is required and not set' : error.message),
    );
}

/** Adds problems that only a combination of settings shows, and throws if there is any problem. */
function refuse(
  service: ServiceName,
  problems: SettingProblem[],
  given: Environment,
  unread: readonly SettingProblem[],
): void {
  if (given['AUTH_JWT_SECRET'] === undefined && given['AUTH_JWKS_URL'] === undefined) {
    problems.push(
      problemWith('AUTH_JWT_SECRET', 'is not set, and neither is AUTH_JWKS_URL: set exactly one of the two'),
    );
  }
  if (given['AUTH_JWT_SECRET'] !== undefined && given['AUTH_JWKS_URL'] !== undefined) {
    problems.push(problemWith('AUTH_JWKS_URL', 'is set beside AUTH_JWT_SECRET: set exactly one of the two'));
  }
  const port = given['PORT'] ?? defaultOf('PORT', service);
  const adminPort = given['ADMIN_PORT'] ?? defaultOf('ADMIN_PORT', service);
  if (Number(port) === Number(adminPort) && Number(port) !== 0) {
    problems.push(problemWith('ADMIN_PORT', 'is the same as PORT: the admin port is never public'));
  }
  // If a setting's file is at fault, a second problem about the same setting is noise.
  const news = problems.filter(({ name }) => !unread.some((other) => other.name === name));
  if (unread.length + news.length > 0) {
    throw new SettingsError(service, [...unread, ...news]);
  }
}
