import { drainOnce } from './drain';
import { type Filling, fillTables, seqScansOf } from './filled-tables';
import { connectAll, DEVICES, loadOutcome, measureLoad, ONE_TO_ONE } from './load';
import type { Scenario } from './scenario';
import { type Outcome, type Trial, withTrial } from './trial';

const PAGES = 300;
const PAGE_SIZE = 100;
const COMPARED = ['sendsPerSecond', 'cpuMs', 'drainPerSecond', 'pageMs', 'seqScans'] as const;

/** More users. */
export const users: Scenario = tableCurve(
  'users',
  '1 thousand to 1 million users in the tables, each with a message',
  'users',
  [1_000, 10_000, 100_000, 1_000_000],
  (count) => ({ users: count, messages: count, inboxOfOne: 0 }),
);

/** A longer inbox. */
export const inbox: Scenario = tableCurve(
  'inbox',
  'one inbox with 1 thousand to 1 million entries: its pages are read, and its last entries are drained',
  'entries',
  [1_000, 10_000, 100_000, 1_000_000],
  (count) => ({ users: 1_000, messages: 1_000, inboxOfOne: count }),
);

/** More messages. */
export const messages: Scenario = tableCurve(
  'messages',
  '1 million to 20 million messages in the tables, of 100 thousand users',
  'messages',
  [1_000_000, 5_000_000, 20_000_000],
  (count) => ({ users: Math.max(1_000, Math.round(count / 200)), messages: count, inboxOfOne: 0 }),
);

/** A curve over table sizes. Each point uses a new database, so that none is measured with leftovers of another. */
function tableCurve(
  name: string,
  what: string,
  unit: string,
  sizes: readonly number[],
  fillingOf: (size: number) => Filling,
): Scenario {
  return {
    name,
    what,
    group: 'curve',
    systems: ['posthorn'],
    figures: COMPARED,
    run: async (stores, system, rest) => {
      const outcomes: Outcome[] = [];
      for (const size of new Set(sizes.map((full) => Math.max(1_000, Math.round(full * rest.scale))))) {
        outcomes.push({
          ...(await withTrial(system, stores, {}, rest, (trial) => measure(trial, fillingOf(size)))),
          point: { label: `${size.toLocaleString('en-US')} ${unit}`, x: size },
        });
      }
      return outcomes;
    },
  };
}

async function measure(whole: Trial, filling: Filling): Promise<Outcome> {
  const { driver } = whole;
  // Receipts are recorded but not counted, because counting would read a whole large table repeatedly.
  const system = { ...whole.system, countReceipts: () => Promise.resolve(null) };
  const trial = { ...whole, system };
  await fillTables(system.databaseUrl, filling, (text) => trial.say(text));
  const before = await seqScansOf(system.databaseUrl);
  await drainOnce(trial); // warm-up, not measured
  const drained = await drainOnce(trial);
  const middle = Math.floor(Math.max(filling.inboxOfOne, filling.messages / filling.users) / 2);
  const page = await driver.call('get', `/v1/inbox?after=${middle}&limit=${PAGE_SIZE}`, ['u0'], PAGES);
  await connectAll(trial, DEVICES);
  const sent = loadOutcome(await measureLoad(trial, ONE_TO_ONE));
  const after = await seqScansOf(system.databaseUrl);
  const scans = [...after].map(([table, count]) => ({ table, count: count - (before.get(table) ?? 0) }));
  const scanned = scans.filter(({ count }) => count > 0);
  return {
    ...sent,
    figures: {
      ...sent.figures,
      ...(drained.figures.drainPerSecond === undefined
        ? {}
        : { drainPerSecond: drained.figures.drainPerSecond }),
      pageMs: page.p50,
      seqScans: scans.reduce((sum, { count }) => sum + count, 0),
    },
    remarks: scanned.map(({ table, count }) => `${count} sequential scans of ${table}`),
  };
}
