/** JSON, as it is in a transcript or on the wire. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** What the names of a transcript stand for so far. */
export type Bindings = Map<string, Json>;

const NAME = /^\$[a-zA-Z]\w*$/;
const NAMES_IN_TEXT = /\$\{([a-zA-Z]\w*)\}/g;

/**
 * Where a value differs from a pattern, in words; null where it fits. In a pattern `"$name"` takes any value the first
 * time and the same one later, `"$*"` takes any, `{"$absent": true}` demands that the field is not there. An object may
 * have fields beside those of the pattern: servers and clients of a later minor version may send more. Lists are whole.
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

/** A value with all names in it replaced by what they stand for. @throws Error for a name that stands for nothing */
export function resolve(value: Json, bindings: Bindings): Json {
  if (typeof value === 'string')
    return NAME.test(value) ? bound(value.slice(1), bindings) : filled(value, bindings);
  if (isList(value)) return value.map((part) => resolve(part, bindings));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, resolve(part, bindings)]));
}

/** As `resolve`, for a place that takes text only. */
export function resolveText(value: Json, bindings: Bindings): string {
  return inText(resolve(value, bindings));
}

function inText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `${name}` within a text. */
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
