import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parsed, runCommand, UsageError } from './command';
import { measurements } from './figures/catalogue';
import type { Figure, Measurement } from './figures/measurement';
import { Site } from './figures/site';
import { HistoryRecorder } from './history/recorder';
import { createRandom } from './random';
import type { RedisKind } from './world/chaos-world';
import { openStores, type Stores } from './world/stores';
import { World } from './world/world';

const USAGE = `usage: pnpm figures [options]

Breaks one thing at a time in a world with the settings of production, and measures what clients see of it.

  --redis KIND   single, sentinel or cluster; may be given several times (all)
  --only NAME    this measurement; may be given several times (all)
  --list         lists them
  --help         prints this
`;
const KINDS: readonly RedisKind[] = ['single', 'sentinel', 'cluster'];
const USERS = 16;

/** `pnpm figures`: see `USAGE`. Exits with 1 if a figure exceeds its bound. */
async function figures(args: readonly string[]): Promise<number> {
  const values = parsed(() => read(args));
  if (values.list === true) return list();
  const kinds = values.redis === undefined ? KINDS : KINDS.filter((kind) => values.redis?.includes(kind));
  const chosen = measurements.filter(({ name }) => values.only?.includes(name) ?? true);
  if (kinds.length === 0) throw new UsageError(`--redis must be one of ${KINDS.join(', ')}`);
  if (chosen.length === 0) throw new UsageError('no such measurement: see --list');
  let bad = 0;
  for (const kind of kinds) {
    const meant = chosen.filter((measurement) => measurement.kinds.includes(kind));
    if (meant.length === 0) continue;
    const stores = await openStores(kind);
    try {
      for (const measurement of meant) bad += await measure(measurement, stores);
    } finally {
      await stores.stop();
    }
  }
  say(bad === 0 ? '\nevery figure is within its bound\n' : `\n${bad} figures are beyond their bounds\n`);
  return bad === 0 ? 0 : 1;
}

/** Resolves with the number of figures that exceed their bounds. */
async function measure(measurement: Measurement, stores: Stores): Promise<number> {
  say(`\n${measurement.name}, ${stores.kind} Redis: ${measurement.what}\n`);
  const dir = mkdtempSync(join(tmpdir(), 'posthorn-figures-'));
  const recorder = new HistoryRecorder(join(dir, 'history.jsonl'));
  const world = await World.start({
    stores,
    name: `figures_${measurement.name.replaceAll('-', '_')}_${Date.now().toString(36)}`,
    users: Array.from({ length: USERS }, (_, index) => `u${index}`),
    recorder,
    random: createRandom(1),
    settings: { RATE_LIMIT_SENDS: '0', DRAIN_MS: '1500' },
  });
  const site = new Site(world);
  let found: Figure[] = [];
  try {
    found = await measurement.measure(site);
  } finally {
    site.close();
    await world.mend();
    await world.stop();
    await recorder.close();
    rmSync(dir, { recursive: true, force: true });
  }
  for (const { what, bound, seen, isGood } of found)
    say(`  ${isGood ? '✓' : '✗'} ${what}: ${seen} (bound: ${bound})\n`);
  return found.filter(({ isGood }) => !isGood).length;
}

function list(): number {
  for (const { name, what, kinds } of measurements) say(`${name.padEnd(16)}${what} (${kinds.join(', ')})\n`);
  return 0;
}

function read(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      redis: { type: 'string', multiple: true },
      only: { type: 'string', multiple: true },
      list: { type: 'boolean' },
    },
  }).values;
}

function say(text: string): void {
  process.stdout.write(text);
}

runCommand(USAGE, figures);
