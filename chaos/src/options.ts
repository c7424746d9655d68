import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { integer, parsed, UsageError } from './command';
import type { RedisKind } from './world/chaos-world';

/** The options of `pnpm chaos`. */
export interface ChaosOptions {
  kinds: readonly RedisKind[];
  seeds: readonly number[];
  /** Seeds whose runs inject every fault of their kind, however long that takes. */
  wholeSeeds: readonly number[];
  faultsMs: number;
  perSecond: number;
  /** The ids of the faults to use; null means all. */
  only: readonly string[] | null;
  /** Names of seeded bugs to play, instead of the correct system. */
  bugs: 'all' | readonly string[] | null;
  reportDir: string;
  /** A history to check, instead of a run. */
  checkFile: string | null;
  isList: boolean;
}

export const USAGE = `usage: pnpm chaos [options]

Plays seeded runs of real processes under faults and checks what clients saw. Without options: a fixed and a random
seed on each kind of Redis.

  --redis KIND      single, sentinel or cluster; may be given several times
  --seed N          this seed, as in the report of a run; may be given several times
  --seeds N         this many seeds, from 1
  --seconds N       how long each run injects faults (20)
  --rate N          sends per second, if the machine can (300; with --all 1000)
  --only FAULT      this fault only; may be given several times
  --whole           every fault at least once in each run
  --all             30 seeds on each kind of Redis, and one whole run each: the long matrix
  --bug NAME        a bug on purpose, or "all": the check must notice each
  --report DIR      where reports and histories go (.posthorn/chaos)
  --check FILE      checks a history again
  --list            lists the faults, the invariants and the bugs
  --help            prints this
`;

const KINDS: readonly RedisKind[] = ['single', 'sentinel', 'cluster'];
const FIXED_SEED = 1;
const WHOLE_SEED = 0;
const MAX_SEED = 0x7fff_ffff;
const LONG_SEEDS = 30;

/** @throws UsageError */
export function parseOptions(args: readonly string[]): ChaosOptions {
  const values = parsed(() => read(args));
  const given = (values.seed ?? []).map((text) => integer('seed', text, 0));
  const isAll = values.all ?? false;
  const isWhole = values.whole ?? false;
  const seeds = given.length > 0 ? given : seedsFor(values.seeds, isAll, values.bug !== undefined);
  const kinds = values.redis?.map(kindOf) ?? (values.bug === undefined ? KINDS : (['single'] as const));
  return {
    kinds,
    seeds: isWhole ? [] : seeds,
    wholeSeeds: isWhole ? seeds : isAll ? [WHOLE_SEED] : [],
    faultsMs: integer('seconds', values.seconds ?? '20', 1) * 1_000,
    perSecond: integer('rate', values.rate ?? (isAll ? '1000' : '300'), 1),
    only: values.only ?? null,
    bugs: values.bug?.includes('all') ? 'all' : (values.bug ?? null),
    reportDir: values.report ?? '.posthorn/chaos',
    checkFile: values.check ?? null,
    isList: values.list ?? false,
  };
}

function read(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      redis: { type: 'string', multiple: true },
      seed: { type: 'string', multiple: true },
      seeds: { type: 'string' },
      seconds: { type: 'string' },
      rate: { type: 'string' },
      only: { type: 'string', multiple: true },
      whole: { type: 'boolean' },
      all: { type: 'boolean' },
      bug: { type: 'string', multiple: true },
      report: { type: 'string' },
      check: { type: 'string' },
      list: { type: 'boolean' },
    },
  }).values;
}

function seedsFor(count: string | undefined, isAll: boolean, isBugs: boolean): number[] {
  if (count !== undefined || isAll) {
    const seeds = count === undefined ? LONG_SEEDS : integer('seeds', count, 1);
    return Array.from({ length: seeds }, (_, index) => index + 1);
  }
  return isBugs ? [FIXED_SEED] : [FIXED_SEED, randomInt(FIXED_SEED + 1, MAX_SEED)];
}

function kindOf(text: string): RedisKind {
  const kind = KINDS.find((known) => known === text);
  if (kind === undefined) throw new UsageError(`--redis must be one of ${KINDS.join(', ')}`);
  return kind;
}
