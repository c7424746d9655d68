import { parseArgs } from 'node:util';
import { UsageError } from '../options';
import type { Habits, Limits } from './model';

/** The options of `pnpm simulate`. */
export interface SimulateOptions {
  habits: Habits;
  limits: Limits;
  /** Whether to write the result into docs/SCALING.md. */
  isForDocs: boolean;
  isHelp: boolean;
}

interface Knob {
  default: number;
  max: number;
  means: string;
}

const HABITS: Readonly<Record<keyof Habits, Knob>> = {
  connected: { default: 0.2, max: 1, means: 'share of the users that are connected in the busiest hour' },
  messages: { default: 20, max: 1e6, means: 'messages that a user sends in a day' },
  recipients: { default: 2, max: 1e4, means: 'recipients of a message' },
  connects: { default: 4, max: 3_600, means: 'connects of a connected device in an hour' },
  peak: { default: 3, max: 100, means: 'load of the busiest hour, as a multiple of the average' },
  days: { default: 365, max: 36_500, means: 'days that messages are kept' },
};

const LIMITS: Readonly<Record<keyof Limits, Knob>> = {
  load: { default: 0.5, max: 1, means: 'share of the CPU that may be in use in the busiest hour' },
  connectionsPerGateway: { default: 8_000, max: 1e6, means: 'connections of one gateway' },
  postgresCores: { default: 64, max: 1e6, means: 'cores of Postgres' },
  postgresConnections: { default: 1_000, max: 1e6, means: 'max_connections of Postgres' },
  walMbPerS: {
    default: 200,
    max: 1e6,
    means: 'MB of write-ahead log that the disks and standbys take in a second',
  },
  tableTb: { default: 16, max: 1e6, means: 'TB of tables that the disks of Postgres hold' },
  redisMasters: { default: 100, max: 1e4, means: 'masters of a Redis Cluster' },
};

const KNOBS = { ...HABITS, ...LIMITS };

export const USAGE = `usage: pnpm simulate [options]

Estimates from the figures of docs/PERFORMANCE.md what 1 thousand to 100 million users need, and which resource runs out first.

${Object.entries(KNOBS)
  .map(([name, { default: value, means }]) => `  --${flagOf(name)} N`.padEnd(32) + `${means} (${value})`)
  .join('\n')}
  --docs                          puts the result into docs/SCALING.md
`;

/** @throws UsageError */
export function parseOptions(args: readonly string[]): SimulateOptions {
  const values = read(args);
  const numbersOf = <Name extends keyof typeof KNOBS>(knobs: Record<Name, Knob>): Record<Name, number> =>
    Object.fromEntries(
      Object.entries<Knob>(knobs).map(([name, knob]) => [
        name,
        numberOf(flagOf(name), values[flagOf(name)], knob),
      ]),
    ) as Record<Name, number>;
  return {
    habits: numbersOf(HABITS),
    limits: numbersOf(LIMITS),
    isForDocs: values['docs'] === true,
    isHelp: values['help'] === true,
  };
}

function read(args: readonly string[]): Record<string, string | boolean | undefined> {
  const knobs = Object.keys(KNOBS).map((name) => [flagOf(name), { type: 'string' as const }]);
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ...Object.fromEntries(knobs), docs: { type: 'boolean' }, help: { type: 'boolean' } },
    });
    return values as Record<string, string | boolean | undefined>;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function numberOf(flag: string, text: string | boolean | undefined, knob: Knob): number {
  if (text === undefined) return knob.default;
  const value = Number(text);
  if (!/^\d*\.?\d+$/.test(String(text)) || value <= 0 || value > knob.max)
    throw new UsageError(`--${flag} must be a number above 0, at most ${knob.max}`);
  return value;
}

/** `--postgres-cores` for `postgresCores`. */
function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
