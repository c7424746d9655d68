import { types } from 'node:util';

const REDACTED = '[redacted]';
const MAX_DEPTH = 6;
const MAX_ITEMS = 50;
const MAX_CHARS = 8192;

/** No ordinary field name contains these words, so they match anywhere in a name. */
const SECRET_NAME = /authorization|token|secret|password|cookie/i;
/** What people wrote. These match whole words only: `body` and `messageText`, but not `context` or `database`. */
const CONTENT_WORD = /^(?:text|data|body)$/i;

/**
 * A field's value in the form that may be logged: plain JSON without credentials and message contents, with limits on
 * depth, items and characters. Errors become `{name, message, code, stack, cause}`.
 */
export function redactField(name: string, value: unknown): unknown {
  return redactAt(name, value, 0, []);
}

/** The text without passwords in URLs, bearer tokens and JWTs, cut at 8192 characters. */
export function redactText(text: string): string {
  // Replace before cutting: a token that is cut in half would no longer be recognized.
  const clean = text
    .slice(0, 4 * MAX_CHARS)
    .replace(/:\/\/[^\s/]*@/g, '://***@')
    .replace(/([?&](?:password|secret|token|access_token)=)[^&\s]*/gi, '$1***')
    .replace(/\bbearer[ .]+[\w.~+/=-]+/gi, `Bearer ${REDACTED}`)
    .replace(/\beyJ[\w-]+(?:\.[\w-]*){0,2}/g, REDACTED);
  return clean.length > MAX_CHARS ? `${clean.slice(0, MAX_CHARS)}…` : clean;
}

function redactAt(name: string, value: unknown, depth: number, path: readonly object[]): unknown {
  if (value !== undefined && value !== null && isPrivate(name, value)) {
    return REDACTED;
  }
  if (typeof value === 'string') {
    return redactText(value);
  }
  if (typeof value === 'object' && value !== null) {
    return redactObject(value, depth, path);
  }
  return typeof value === 'bigint' || typeof value === 'symbol' ? String(value) : value;
}

function isPrivate(name: string, value: unknown): boolean {
  if (SECRET_NAME.test(name)) {
    return true;
  }
  // A number under a content name, such as `bodyBytes: 512`, reveals nothing.
  if (typeof value === 'number' || typeof value === 'boolean') {
    return false;
  }
  return name.split(/[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])/).some((word) => CONTENT_WORD.test(word));
}

function redactObject(value: object, depth: number, path: readonly object[]): unknown {
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  }
  if (value instanceof URL) {
    return redactText(value.href);
  }
  if (ArrayBuffer.isView(value)) {
    return `[${value.byteLength} bytes]`;
  }
  if (path.includes(value)) {
    return '[circular]';
  }
  if (depth >= MAX_DEPTH) {
    return '[deep]';
  }
  const inner = [...path, value];
  if (value instanceof Error || types.isNativeError(value)) {
    return redactEntries(errorFields(value), depth, inner);
  }
  if (Array.isArray(value) || value instanceof Set) {
    const items = [...value];
    const shown = items.slice(0, MAX_ITEMS).map((item) => redactAt('', item, depth + 1, inner));
    return items.length > MAX_ITEMS ? [...shown, `… ${items.length - MAX_ITEMS} more`] : shown;
  }
  return redactEntries(value instanceof Map ? Object.fromEntries(value) : value, depth, inner);
}

function redactEntries(value: object, depth: number, path: readonly object[]): unknown {
  const entries = Object.entries(value).slice(0, MAX_ITEMS);
  return Object.fromEntries(entries.map(([name, item]) => [name, redactAt(name, item, depth + 1, path)]));
}

/** Only these fields: a database error's own fields may contain a row. */
function errorFields(error: Error): Record<string, unknown> {
  return {
    name: error.name,
    message: error.message,
    ...('code' in error ? { code: error.code } : {}),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: error.cause }),
    ...(error instanceof AggregateError ? { errors: error.errors } : {}),
  };
}
