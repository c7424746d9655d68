import { CliError, EXIT } from './exit.ts';

/** @throws CliError if the text is not a whole number from `min` to `max` */
export function integer(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= min && value <= max) return value;
  throw new CliError(EXIT.usage, `${name} must be a whole number from ${min} to ${max}, not ${text}`);
}

/** Names between commas, without repeats. @throws CliError without any name */
export function names(text: string): string[] {
  const all = [...new Set(text.split(',').map((name) => name.trim()))].filter((name) => name !== '');
  if (all.length > 0) return all;
  throw new CliError(EXIT.usage, 'name at least one user');
}

/** @throws CliError if the text is not a JSON object */
export function jsonObject(name: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch (cause) {
    throw new CliError(EXIT.usage, `${name} is no JSON: ${cause instanceof Error ? cause.message : ''}`, {
      cause,
    });
  }
  throw new CliError(EXIT.usage, `${name} must be a JSON object, such as '{"kind": "ping"}'`);
}
