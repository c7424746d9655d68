import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@posthorn/testing';
import type { SeededBug } from './bugs/seeded-bugs';
import { checkHistory } from './check/check-history';
import { aftermathMs, type CheckOptions } from './check/check-options';
import type { Verdict } from './check/verdict';
import type { Fault } from './faults/fault';
import type { EndState, HistoryEvent, Phase } from './history/history';
import { HistoryRecorder } from './history/recorder';
import { Nemesis } from './nemesis';
import { createRandom, type Random } from './random';
import { ApiClient } from './workload/api-client';
import type { Device } from './workload/device';
import { Sender } from './workload/sender';
import { readStore } from './world/read-store';
import type { Stores } from './world/stores';
import { CHAOS_SETTINGS, World } from './world/world';

/** One run, from its seed to its verdict. */
export interface RunOptions {
  stores: Stores;
  seed: number;
  /** How long faults are injected, in ms. */
  faultsMs: number;
  /** Sends per second, over all senders. */
  perSecond: number;
  faults: readonly Fault[];
  /** Whether every fault comes at least once, however long that takes. */
  isWhole?: boolean;
  bug?: SeededBug;
  /** Where to write the history. */
  historyFile: string;
  say: (sentence: string) => void;
}

/** The result of a run. */
export interface RunResult {
  verdict: Verdict;
  events: readonly HistoryEvent[];
}

/** The settings that the check needs. */
export const CHECK_OPTIONS: CheckOptions = {
  reconcileIntervalMs: Number(CHAOS_SETTINGS.RECONCILE_INTERVAL_MS),
  window: Number(CHAOS_SETTINGS.DELIVERY_WINDOW),
  promptMs: 30_000,
};

/** A bug must show while connections last, which is at most 10 s. */
const BUG_PROMPT_MS = 5_000;

const USERS = 32;
/** Each sender waits for its answer. This is enough of them that a slow answer does not slow down the others. */
const SENDERS = 32;
const WARM_UP_MS = 2_000;
const SETTLE_MS = 60_000;
/** How long to wait until every device, and then every fresh device, has everything. */
const DRAIN_WAIT_MS = 120_000;
/** Shorter, because with a bug some devices never have everything. */
const BUG_DRAIN_WAIT_MS = 10_000;
const OFFLINE_WAIT_MS = 60_000;

/** Plays one run. */
export async function run(options: RunOptions): Promise<RunResult> {
  const { stores, seed, bug, say } = options;
  const random = createRandom(seed);
  const recorder = new HistoryRecorder(options.historyFile);
  const users = Array.from({ length: USERS }, (_, index) => `u${index}`);
  const name = `run_${seed}_${Date.now().toString(36)}`;
  const world = await World.start({
    stores,
    name,
    users,
    recorder,
    random: random.fork(),
    ...(bug?.services === undefined ? {} : { bugs: variantsOf(bug) }),
    ...(bug?.sql === undefined ? {} : { sql: bug.sql }),
  });
  try {
    await play(options, world, recorder, random, name);
  } finally {
    await recorder.close();
  }
  say('checking');
  const events = recorder.events;
  const verdict = checkHistory(events, {
    ...CHECK_OPTIONS,
    ...(bug === undefined ? {} : { promptMs: BUG_PROMPT_MS }),
  });
  return { verdict, events };
}

async function play(
  options: RunOptions,
  world: World,
  recorder: HistoryRecorder,
  random: Random,
  runId: string,
): Promise<void> {
  const { faultsMs, perSecond, faults, isWhole = false, bug, say } = options;
  const drainWaitMs = bug === undefined ? DRAIN_WAIT_MS : BUG_DRAIN_WAIT_MS;
  const begin = (phase: Phase): void => {
    recorder.record('harness', { type: 'info', f: 'phase', v: { name: phase } });
    say(phase);
  };
  begin('warm-up');
  const { clients, apis } = world;
  const token = (user: string): string => world.tokens.get(user) ?? '';
  const api = new ApiClient(
    apis.map(({ url }) => url),
    token,
    random.fork(),
  );
  const senders = Array.from(
    { length: SENDERS },
    (_, index) =>
      new Sender({
        index,
        users: clients.users,
        perSecond: perSecond / SENDERS,
        api,
        recorder,
        random: random.fork(),
        runId,
      }),
  );
  clients.start();
  const giveUp = new AbortController();
  const sending = Promise.all(senders.map((sender) => sender.run(giveUp.signal)));
  await sleep(WARM_UP_MS);

  begin('faults');
  await new Nemesis({ world, faults, recorder, random: random.fork(), say }).run(faultsMs, isWhole);

  begin('healed');
  await world.mend();
  for (const sender of senders) sender.stop();
  const timer = setTimeout(() => giveUp.abort(), SETTLE_MS);
  await sending;
  clearTimeout(timer);
  api.close();

  begin('final');
  clients.settle();
  const newest = await newestSeqs(world);
  // Before reconcile has run, no message counts as lost.
  const reconciled = sleep(aftermathMs(CHECK_OPTIONS));
  await untilDrained(clients.devices, newest, drainWaitMs);
  await reconciled;

  begin('fresh');
  const fresh = clients.fresh();
  const reading = Promise.all(fresh.map((device) => device.run()));
  await untilDrained(fresh, newest, drainWaitMs);

  begin('over');
  await Promise.all([clients.stop(), ...fresh.map((device) => device.stop())]);
  await reading;
  const end = await endState(world, token);
  recorder.record('harness', { type: 'info', f: 'store', v: await readStore(world.postgres) });
  const exits = await world.stop();
  recorder.record('harness', { type: 'info', f: 'end', v: { ...end, exits } });
}

async function newestSeqs(world: World): Promise<Map<string, number>> {
  const rows = await world.postgres.query<{ user: string; newest: number }>(
    'SELECT user_id AS user, newest_seq::float8 AS newest FROM inbox',
  );
  return new Map(rows.map(({ user, newest }) => [user, newest]));
}

/**
 * Waits until each device has everything and has acknowledged it. If this takes too long, the check reports what is
 * missing.
 */
async function untilDrained(
  devices: readonly Device[],
  newest: ReadonlyMap<string, number>,
  withinMs: number,
): Promise<void> {
  const isDone = ({ connection, options: { user, habit } }: Device): boolean => {
    const last = newest.get(user) ?? 0;
    if (connection === null || !connection.isCaughtUp || connection.lastSeq < last) return false;
    return habit === 'auto' || connection.acked >= last;
  };
  await eventually('every device has everything', () => devices.every(isDone), withinMs).catch(
    () => undefined, // the check reports it
  );
}

/** What is left after everybody has left: online users, and what the gateways hold. */
async function endState(world: World, token: (user: string) => string): Promise<Omit<EndState, 'exits'>> {
  const { users } = world.clients;
  const count = async (): Promise<Omit<EndState, 'exits'>> => ({
    presenceFields: await onlineUsers(world, users, token),
    connections: await total(world, 'posthorn_connections'),
    bufferedBytes: await total(world, 'posthorn_buffered_bytes'),
    longestList: await longestList(world, users),
    listCap: Number(CHAOS_SETTINGS.OFFLINE_LIST_MAX),
  });
  // Presence may be refused for a moment, because its store was broken until now.
  let last = await eventually('presence is told', count, OFFLINE_WAIT_MS);
  const isClean = async (): Promise<boolean> => {
    last = await count();
    return last.presenceFields === 0 && last.connections === 0 && last.bufferedBytes === 0;
  };
  await eventually('everybody is gone', isClean, OFFLINE_WAIT_MS).catch(() => undefined); // the check reports it
  return last;
}

async function onlineUsers(
  world: World,
  users: readonly string[],
  token: (user: string) => string,
): Promise<number> {
  const [asking = ''] = users;
  const response = await fetch(`${world.apis[0]?.url}/v1/presence?users=${users.join(',')}`, {
    headers: { Authorization: `Bearer ${token(asking)}` },
  });
  if (response.status !== 200)
    throw new Error(`presence answered ${response.status} after everything was healed`);
  const { items } = (await response.json()) as { items: { online: boolean }[] };
  return items.filter(({ online }) => online).length;
}

async function total(world: World, metric: string): Promise<number> {
  const values = await Promise.all(world.gateways.map((gateway) => gateway.metric(metric)));
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

async function longestList(world: World, users: readonly string[]): Promise<number> {
  let longest = 0;
  for (const user of users) {
    const key = `${world.redis.prefix}{${user}}:offline`;
    const length = await (await world.redis.nodeOf(key)).call('LLEN', key);
    longest = Math.max(longest, Number(length));
  }
  return longest;
}

function variantsOf(bug: SeededBug): NonNullable<Parameters<typeof World.start>[0]['bugs']> {
  return Object.fromEntries((bug.services ?? []).map((service) => [service, { mutations: bug.mutations }]));
}
