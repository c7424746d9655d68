import { findPostgresUrlFault, parseRedisUrl } from '@posthorn/protocol';
import type { SettingKind } from './settings-catalogue';

/** The levels of LOG_LEVEL, as in winston, most severe first. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'http', 'verbose', 'debug', 'silly'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** The origins that browsers may connect from: exact ones, or `*` for all. */
export type AllowedOrigins = readonly string[] | '*';

/** The type of each kind of setting after reading. */
export interface SettingValues {
  integer: number;
  'postgres-url': string;
  'redis-url': string;
  'http-url': string;
  secret: string;
  text: string;
  'key-prefix': string;
  origins: AllowedOrigins;
  'log-level': LogLevel;
}

/** Limits of an integer, both inclusive. */
export interface Bounds {
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
}

/**
 * One reader for each kind of setting: text in, value out.
 * Each throws an `Error` whose message continues the setting's name ("must be …").
 * Readers of kinds that may hold a credential never repeat the value.
 */
export const settingReaders: { [K in SettingKind]: (text: string, bounds: Bounds) => SettingValues[K] } = {
  integer: readInteger,
  'postgres-url': readPostgresUrl,
  'redis-url': readRedisUrl,
  'http-url': readHttpUrl,
  secret: readSecret,
  text: (text) => text,
  'key-prefix': readKeyPrefix,
  origins: readOrigins,
  'log-level': readLogLevel,
};

const MIN_SECRET_BYTES = 32;
const SHOWN_CHARS = 60;

function readInteger(text: string, { minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: Bounds): number {
  // Accept plain digits only: Number() would also accept '1e3', '0x10', ' 7 ' and '1.0'.
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= minimum && value <= maximum)) {
    throw new Error(`must be a whole number from ${minimum} to ${maximum}, not ${shown(text)}`);
  }
  return value;
}

function readPostgresUrl(text: string): string {
  const fault = findPostgresUrlFault(text);
  if (fault !== null) {
    throw new Error(fault);
  }
  return text;
}

function readRedisUrl(text: string): string {
  parseRedisUrl(text);
  return text;
}

function readHttpUrl(text: string): string {
  const url = parseUrl(text);
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new Error('must be a URL that begins with https:// or http:// (its value is not shown)');
  }
  if (url.username !== '' || url.password !== '') {
    throw new Error('must not hold a user name or a password, because they are never sent');
  }
  return text;
}

function readSecret(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes < MIN_SECRET_BYTES) {
    throw new Error(`must be at least ${MIN_SECRET_BYTES} bytes, not ${bytes} (its value is not shown)`);
  }
  return text;
}

function readKeyPrefix(text: string): string {
  // Braces would change Redis' hash tag, and glob characters would widen a scan.
  if (!/^[A-Za-z0-9._:-]{1,64}$/.test(text)) {
    throw new Error(`must be 1 to 64 of the characters A-Z a-z 0-9 . _ : - and not ${shown(text)}`);
  }
  return text;
}

function readOrigins(text: string): AllowedOrigins {
  const origins = text.split(',').map((origin) => origin.trim());
  if (origins.length === 1 && origins[0] === '*') {
    return '*';
  }
  for (const origin of origins) {
    checkOrigin(origin);
  }
  return Object.freeze([...new Set(origins)]);
}

function checkOrigin(origin: string): void {
  if (origin.includes('*')) {
    throw new Error(`must be * alone, or complete origins without wildcards, not ${shown(origin)}`);
  }
  const url = parseUrl(origin);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') {
    if (url.origin !== origin) {
      throw new Error(
        `must hold origins exactly as browsers send them: ${shown(url.origin)}, not ${shown(origin)}`,
      );
    }
  } else if (!/^[a-z][a-z0-9+.-]*:\/\/[A-Za-z0-9._:-]+$/.test(origin)) {
    // Apps have their own schemes (capacitor://localhost), and URL gives no origin for them.
    throw new Error(
      `must be a list of origins (scheme://host, with a port where needed), not ${shown(origin)}`,
    );
  }
}

function readLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text);
  if (level === undefined) {
    throw new Error(`must be one of ${LOG_LEVELS.join(', ')}, not ${shown(text)}`);
  }
  return level;
}

function parseUrl(text: string): URL | null {
  // A URL parser trims white space. White space in a setting is a mistake that would fail later.
  return /\s/.test(text) || !URL.canParse(text) ? null : new URL(text);
}

/** A value that is not secret, quoted and shortened for a message. Credentials inside it are masked. */
function shown(text: string): string {
  const masked = text.replace(/:\/\/[^\s/]*@/g, '://***@');
  return JSON.stringify(masked.length > SHOWN_CHARS ? `${masked.slice(0, SHOWN_CHARS)}…` : masked);
}
