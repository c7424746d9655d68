import { createHash } from 'node:crypto';
import { isJsonObject, type JsonValue } from '@posthorn/protocol';

/**
 * The fingerprint that goes with an idempotency key: SHA-256 of the body's canonical JSON, so that bodies are
 * the same when their JSON values are, whatever the order of keys or the spaces. The nesting of `body` must be
 * bounded.
 */
export function bodyHash(body: JsonValue): Buffer {
  return createHash('sha256').update(canonicalJson(body)).digest();
}

/** JSON without spaces and with sorted keys. Built as text: no object is made that a `__proto__` key could touch. */
function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
