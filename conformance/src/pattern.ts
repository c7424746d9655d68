/** JSON, in a transcript or on the wire. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** The values that the names of a transcript have so far. */
export type Bindings = Map<string, Json>;

const NAME = /^\$[a-zA-Z]\w*$/;
const NAMES_IN_TEXT = /\$\{([a-zA-Z]\w*)\}/g;

/**
 * How a value differs from a pattern, in words; null if it fits. In a pattern, `"$name"` takes any value the first
 * time and the same value later. `"$*"` takes any value. `{"$absent": true}` requires that the field is missing. An
 * object may have more fields than the pattern, because later minor versions may send more. Lists must match
 * completely.
 */
export function difference(
  pattern: Json,
  value: Json | undefined,
  bindings: Bindings,
  path = '',
): string | null {
  if (isAbsence(pattern)) return value === undefined ? null : `${path} must not be there`;
  if (value === undefined) return `${path} is missing`;
  if (typeof pattern === 'string' && (pattern === '$*' || NAME.test(pattern))) {
    if (pattern === '$*') return null;
    const known = bindings.get(pattern.slice(1));
    if (known === undefined) {
      bindings.set(pattern.slice(1), value);
      return null;
    }
    return difference(known, value, bindings, path);
  }
  if (typeof pattern === 'string')
    return filled(pattern, bindings) === value ? null : told(path, pattern, value);
  if (isList(pattern)) {
    if (!isList(value) || value.length !== pattern.length) return told(path, pattern, value);
    return first(pattern.map((part, index) => difference(part, value[index], bindings, `${path}/${index}`)));
  }
  if (isObject(pattern)) {
    if (!isObject(value)) return told(path, pattern, value);
    return first(
      Object.entries(pattern).map(([name, part]) =>
        difference(part, value[name], bindings, `${path}/${name}`),
      ),
    );
  }
  return pattern === value ? null : told(path, pattern, value);
}

/** Replaces all names in a value by their values. @throws Error for a name without a value */
export function resolve(value: Json, bindings: Bindings): Json {
  if (typeof value === 'string')
    return NAME.test(value) ? bound(value.slice(1), bindings) : filled(value, bindings);
  if (isList(value)) return value.map((part) => resolve(part, bindings));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, resolve(part, bindings)]));
}

/** Like `resolve`, for a place that takes only text. */
export function resolveText(value: Json, bindings: Bindings): string {
  return inText(resolve(value, bindings));
}

function inText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Replaces `${name}` within a text. */
function filled(text: string, bindings: Bindings): string {
  return text.replace(NAMES_IN_TEXT, (_, name: string) => inText(bound(name, bindings)));
}

function bound(name: string, bindings: Bindings): Json {
  const value = bindings.get(name);
  if (value === undefined) throw new Error(`the transcript uses $${name} before anything gave it a value`);
  return value;
}

function isAbsence(pattern: Json): boolean {
  return isObject(pattern) && pattern['$absent'] === true;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function first(differences: readonly (string | null)[]): string | null {
  return differences.find((found) => found !== null) ?? null;
}

function told(path: string, pattern: Json, value: Json): string {
  return `${path === '' ? 'it' : path} must be ${JSON.stringify(pattern)}, and is ${JSON.stringify(value)}`;
}
