import { isStorableText } from './text.ts';

/** A JSON value as `JSON.parse` makes it. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
/** A JSON object as `JSON.parse` makes it. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** How deep `data` may be nested. `JSON.parse` takes more than `JSON.stringify` can write again. */
export const MAX_DATA_DEPTH = 64;

/** What is wrong with a part of `data`, and where (a JSON Pointer below `data`). */
export interface DataFault {
  pointer: string;
  detail: string;
}

/** True for a JSON object (not null, not an array). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Finds the first part of parsed JSON that could not be stored and given back unchanged: nesting deeper
 * than `MAX_DATA_DEPTH`, a string or key with U+0000 or a lone surrogate, a number beyond a double's range.
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
    // Where it is matters only where there is one: every message goes through here.
    if (fault !== null) return { ...fault, pointer: `/${escapePointer(key)}${fault.pointer}` };
  }
  return null;
}

/** An object or an array: what has parts. */
function isNode(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** One step of a JSON Pointer (RFC 6901 §3). */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
