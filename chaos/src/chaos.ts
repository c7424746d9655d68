import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isExpected, type SeededBug, seededBugs } from './bugs/seeded-bugs';
import { checkHistory } from './check/check-history';
import { invariants } from './check/invariants';
import { runCommand, UsageError } from './command';
import { faultsFor } from './faults/catalogue';
import type { Fault } from './faults/fault';
import { readHistory } from './history/read-history';
import { type ChaosOptions, parseOptions, USAGE } from './options';
import { createRandom } from './random';
import { reportOf } from './report';
import { CHECK_OPTIONS, type RunResult, run } from './run';
import { Summary } from './summary';
import type { RedisKind } from './world/chaos-world';
import { openStores, type Stores } from './world/stores';

const WHOLE_PER_SECOND = 300;

/** `pnpm chaos`: see `USAGE`. Exits with 0 if every run is valid, or every bug was noticed. Otherwise exits with 1. */
async function chaos(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.isList) return list();
  if (options.checkFile !== null) return checkAgain(options.checkFile);
  mkdirSync(options.reportDir, { recursive: true });
  return options.bugs === null ? await playMatrix(options) : await playBugs(options, options.bugs);
}

/** Plays every seed on every kind of Redis. */
async function playMatrix(options: ChaosOptions): Promise<number> {
  const summary = new Summary();
  for (const kind of options.kinds) {
    await withStores(kind, async (stores) => {
      for (const seed of options.seeds) summary.add(await playToVerdict(options, stores, seed, false));
      for (const seed of options.wholeSeeds) summary.add(await playToVerdict(options, stores, seed, true));
    });
  }
  process.stdout.write(
    `\nfaults that took effect:\n${summary.faultLines().join('\n')}\n\n${summary.line()}\n`,
  );
  return summary.count('invalid') + summary.count('unknown') === 0 ? 0 : 1;
}

/** Plays every bug once. The check must fail, and at the right place. */
async function playBugs(options: ChaosOptions, wanted: 'all' | readonly string[]): Promise<number> {
  const bugs = wanted === 'all' ? seededBugs : seededBugs.filter(({ name }) => wanted.includes(name));
  const [kind = 'single'] = options.kinds;
  const [seed = 1] = options.seeds;
  let noticed = 0;
  await withStores(kind, async (stores) => {
    for (const bug of bugs) {
      const { verdict } = await playOne(options, stores, seed, bug);
      const isNoticed = isExpected(bug, verdict);
      if (isNoticed) noticed++;
      process.stdout.write(`  ${isNoticed ? '✓ noticed' : '✗ NOT noticed'}: ${bug.name}\n`);
    }
  });
  process.stdout.write(`\n${noticed} of ${bugs.length} bugs on purpose were noticed\n`);
  return noticed === bugs.length && bugs.length > 0 ? 0 : 1;
}

/** Plays a run that proves nothing, as on a busy machine, once more. */
async function playToVerdict(
  options: ChaosOptions,
  stores: Stores,
  seed: number,
  isWhole: boolean,
): Promise<RunResult> {
  const first = await playOne(options, stores, seed, null, isWhole);
  return first.verdict.verdict === 'unknown' ? await playOne(options, stores, seed, null, isWhole) : first;
}

async function playOne(
  options: ChaosOptions,
  stores: Stores,
  seed: number,
  bug: SeededBug | null,
  isWhole = false,
): Promise<RunResult> {
  const { kind } = stores;
  const startedAt = performance.now();
  const name = [kind, `seed-${seed}`, ...(bug === null ? [] : [bug.name.replaceAll(/\W+/g, '-')])].join('-');
  const historyFile = join(options.reportDir, `${name}.jsonl`);
  const say = (sentence: string): void => {
    const second = ((performance.now() - startedAt) / 1000).toFixed(0).padStart(4);
    process.stdout.write(`${second} s  ${name}  ${sentence}\n`);
  };
  const result = await run({
    stores,
    seed,
    faultsMs: options.faultsMs,
    // The history of a whole run is long and must fit in memory.
    perSecond: isWhole ? Math.min(options.perSecond, WHOLE_PER_SECOND) : options.perSecond,
    faults: shuffled(faultsOf(kind, bug === null ? options.only : (bug.faults ?? [])), seed),
    isWhole,
    historyFile,
    say,
    ...(bug === null ? {} : { bug }),
  });
  const { verdict, events } = result;
  const more = bug === null ? (isWhole ? ' --whole' : '') : ` --bug '${bug.name}'`;
  const command = `pnpm chaos --redis ${kind} --seed ${seed}${more}`;
  const reportFile = join(options.reportDir, `${name}.md`);
  writeFileSync(reportFile, reportOf({ title: name, command, events, verdict }));
  const single = new Summary();
  single.add(result);
  say(`${verdict.verdict}: ${single.line()}`);
  for (const { invariant, count, witnesses } of verdict.violations) {
    say(`broken: ${invariant}, ${count} times; ${witnesses[0] ?? ''}`);
  }
  for (const doubt of verdict.doubts) say(`in doubt: ${doubt}`);
  say(`report: ${reportFile}`);
  return result;
}

/** @throws UsageError when a named fault does not exist */
function faultsOf(kind: RedisKind, only: readonly string[] | null): Fault[] {
  const all = faultsFor(kind);
  if (only === null || only.length === 0) return only === null ? all : [];
  const chosen = all.filter(({ id }) => only.includes(id));
  if (chosen.length === 0) throw new UsageError(`no such fault with a ${kind} Redis: ${only.join(', ')}`);
  return chosen;
}

/** Another order for each seed, so that a few seeds cover every fault. */
function shuffled(faults: readonly Fault[], seed: number): Fault[] {
  const random = createRandom(seed);
  const left = [...faults];
  const deck: Fault[] = [];
  while (left.length > 0) deck.push(...left.splice(random.int(0, left.length - 1), 1));
  return deck;
}

async function withStores(kind: RedisKind, work: (stores: Stores) => Promise<void>): Promise<void> {
  const stores = await openStores(kind);
  try {
    await work(stores);
  } finally {
    await stores.stop();
  }
}

function checkAgain(file: string): number {
  const verdict = checkHistory(readHistory(file), CHECK_OPTIONS);
  process.stdout.write(`${JSON.stringify(verdict, null, 2)}\n`);
  return verdict.verdict === 'valid' ? 0 : 1;
}

function list(): number {
  for (const kind of ['single', 'sentinel', 'cluster'] as const) {
    process.stdout.write(`Faults with a ${kind} Redis\n`);
    for (const { id, what } of faultsFor(kind)) process.stdout.write(`  ${id.padEnd(36)}${what}\n`);
  }
  process.stdout.write('What is checked\n');
  for (const [name, demand] of Object.entries(invariants))
    process.stdout.write(`  ${name.padEnd(36)}${demand}\n`);
  process.stdout.write('Bugs on purpose\n');
  for (const { name, expected } of seededBugs)
    process.stdout.write(`  ${name.padEnd(60)}${expected.join(', ')}\n`);
  return 0;
}

runCommand(USAGE, chaos);
