import { createHash } from 'node:crypto';
import { isJsonObject, type JsonValue } from '@posthorn/protocol';

/**
 * The hash that is stored with an idempotency key: SHA-256 of the body's canonical JSON (PROTOCOL §4.1). So two bodies
 * are the same if their JSON values are, whatever the order of keys or the white space. The nesting of `body` must be
 * limited, because this recurses.
 */
export function bodyHash(body: JsonValue): Buffer {
  return createHash('sha256').update(canonicalJson(body)).digest();
}

/** JSON without spaces and with sorted keys. Built as text, so that a key `__proto__` cannot do harm. */
function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
