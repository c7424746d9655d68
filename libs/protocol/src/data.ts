import { isStorableText } from './text.ts';

/** A JSON value, as `JSON.parse` returns it. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
/** A JSON object, as `JSON.parse` returns it. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** The most levels of nesting in `data`. Limited because `JSON.parse` accepts more than `JSON.stringify` can write. */
export const MAX_DATA_DEPTH = 64;

/** A fault in `data`, and its place: a JSON Pointer relative to `data`. */
export interface DataFault {
  pointer: string;
  detail: string;
}

/** True for a JSON object (not null, not an array). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Finds the first part of parsed JSON that cannot be stored: nesting deeper than `MAX_DATA_DEPTH`, a string or key with
 * U+0000 or a lone surrogate, or a number outside the range of a double (PROTOCOL §4.1). Null if all of it can be.
 */
export function findDataFault(value: unknown, depth = 1): DataFault | null {
  if (typeof value === 'string') {
    return isStorableText(value) ? null : { pointer: '', detail: 'holds U+0000 or a lone surrogate' };
  }
  if (typeof value === 'number') {
    return Number.isFinite(value)
      ? null
      : { pointer: '', detail: 'is a number beyond the range of a double' };
  }
  if (!isNode(value)) return null;
  if (depth > MAX_DATA_DEPTH)
    return { pointer: '', detail: `is nested deeper than ${MAX_DATA_DEPTH} levels` };
  for (const key of Object.keys(value)) {
    if (!isStorableText(key)) return { pointer: '', detail: 'has a key with U+0000 or a lone surrogate' };
    const fault = findDataFault(value[key], depth + 1);
    // The pointer is built only if there is a fault, because every message goes through here.
    if (fault !== null) return { ...fault, pointer: `/${escapePointer(key)}${fault.pointer}` };
  }
  return null;
}

/** True for an object or an array. */
function isNode(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Escapes a key as one step of a JSON Pointer (RFC 6901 §3). */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
