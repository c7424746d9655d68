import type { IncomingMessage } from 'node:http';
import { problem } from '@posthorn/runtime';

/**
 * Reads the query parameters of a request.
 *
 * @param known the names that the endpoint takes
 * @throws Problem invalid_query for a parameter that is unknown or repeated
 */
export function parseQuery<Name extends string>(
  req: IncomingMessage,
  known: readonly Name[],
): Partial<Record<Name, string>> {
  const url = req.url ?? '';
  const start = url.indexOf('?');
  const values: Partial<Record<Name, string>> = {};
  if (start === -1) return values;
  for (const [given, value] of new URLSearchParams(url.slice(start + 1))) {
    const name = known.find((candidate) => candidate === given);
    if (name === undefined) {
      throw invalidQuery(`There is an unknown parameter. Known parameters: ${known.join(', ')}.`);
    }
    if (Object.hasOwn(values, name)) throw invalidQuery(`${name} must be given only once.`);
    values[name] = value;
  }
  return values;
}

const INTEGER = /^(?:0|[1-9][0-9]{0,15})$/;

/**
 * A whole number between `min` and `max`, in plain decimal digits.
 *
 * @throws Problem invalid_query
 */
export function parseInteger(name: string, text: string, min: number, max: number): number {
  const value = INTEGER.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw invalidQuery(`${name} must be a whole number from ${min} to ${max}.`);
  }
  return value;
}

/** The problem for a bad query. */
export function invalidQuery(detail: string): Error {
  return problem('invalid_query', { detail });
}
