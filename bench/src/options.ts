import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { DialectName } from './driver/dialect';
import { scenarios } from './scenarios/catalogue';
import type { Scenario } from './scenarios/scenario';
import { systemNames } from './systems/start-system';

/** The options of `pnpm bench`. */
export interface BenchOptions {
  /** `guard` is a short comparison that fails if Posthorn has become more expensive. */
  command: 'run' | 'guard';
  scenarios: readonly Scenario[];
  systems: readonly DialectName[];
  rounds: number;
  seconds: number;
  scale: number;
  reportDir: string;
  /** Where to write CPU profiles of Posthorn's services. */
  profileDir: string | undefined;
  /** Result files of earlier runs to report, instead of a new run. */
  from: readonly string[];
  /** Whether to write the figures into docs/PERFORMANCE.md. */
  isForDocs: boolean;
  isList: boolean;
  isHelp: boolean;
}

/** The arguments are wrong. The message says what is right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE = `usage: pnpm bench [guard] [options]

Measures Posthorn beside a hand-made pair, a Socket.IO app and a bare floor, in turn, on the same Postgres and Redis.
Without options: the comparison. "guard" is a short one that fails where Posthorn costs too much beside the floor.

  --scenario NAME   this one only; may be given several times
  --curves          the curves: how the cost grows with the work
  --all             the comparison and the curves
  --system NAME     this one only; may be given several times
  --rounds N        measurements of each (3; of curves 1)
  --seconds N       how long one takes (5)
  --scale X         makes the curves shorter: 0.1 goes up to a tenth of the users, messages and connections (1)
  --report DIR      where the JSON file and the charts go (.posthorn/bench)
  --profile         writes a CPU profile of each of Posthorn's services beside the report; profiling itself costs CPU
  --from FILE       reports an earlier run again, from its results.json; several runs are merged
  --docs            puts the figures into docs/PERFORMANCE.md
  --list            lists the scenarios and the systems
`;

const DEFAULT_ROUNDS = 3;
const DEFAULT_SECONDS = 5;
const MAX_ROUNDS = 100;
const MAX_SECONDS = 600;

/** @throws UsageError */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = read(args);
  const [command = 'run', ...more] = positionals;
  if ((command !== 'run' && command !== 'guard') || more.length > 0) {
    throw new UsageError(`there is no "${positionals.join(' ')}": only "guard"`);
  }
  const names = values.scenario ?? [];
  const chosen =
    names.length > 0 ? names.map(scenarioOf) : groupsOf(values.curves ?? false, values.all ?? false);
  const reportDir = values.report ?? '.posthorn/bench';
  const isOfCurves = chosen.every(({ group }) => group === 'curve');
  return {
    command,
    scenarios: chosen,
    systems: values.system === undefined ? systemNames : values.system.map(systemOf),
    rounds: integer('rounds', values.rounds ?? String(isOfCurves ? 1 : DEFAULT_ROUNDS), MAX_ROUNDS),
    seconds: integer('seconds', values.seconds ?? String(DEFAULT_SECONDS), MAX_SECONDS),
    scale: share('scale', values.scale ?? '1'),
    reportDir,
    profileDir: values.profile === true ? resolve(reportDir, 'profiles') : undefined,
    from: values.from ?? [],
    isForDocs: values.docs ?? false,
    isList: values.list ?? false,
    isHelp: values.help ?? false,
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        scenario: { type: 'string', multiple: true },
        curves: { type: 'boolean' },
        all: { type: 'boolean' },
        system: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        scale: { type: 'string' },
        report: { type: 'string' },
        profile: { type: 'boolean' },
        from: { type: 'string', multiple: true },
        docs: { type: 'boolean' },
        list: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function groupsOf(isCurves: boolean, isAll: boolean): Scenario[] {
  return scenarios.filter(({ group }) => isAll || group === (isCurves ? 'curve' : 'comparison'));
}

function scenarioOf(name: string): Scenario {
  const scenario = scenarios.find((known) => known.name === name);
  if (scenario !== undefined) return scenario;
  throw new UsageError(`--scenario must be one of ${scenarios.map((known) => known.name).join(', ')}`);
}

function systemOf(name: string): DialectName {
  const system = systemNames.find((known) => known === name);
  if (system !== undefined) return system;
  throw new UsageError(`--system must be one of ${systemNames.join(', ')}`);
}

function integer(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < 1 || value > max) {
    throw new UsageError(`--${name} must be an integer from 1 to ${max}`);
  }
  return value;
}

function share(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || value <= 0 || value > 1) {
    throw new UsageError(`--${name} must be a number above 0, at most 1`);
  }
  return value;
}
