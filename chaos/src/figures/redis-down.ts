import { setTimeout as sleep } from 'node:timers/promises';
import { reviveNodes } from '../faults/redis-nodes';
import { Load, type LoadedSend, percentile } from './load';
import { atMost, type Figure, type Measurement } from './measurement';
import { onMessage, type Site } from './site';
import { timeUntil } from './wait';

const CALM_MS = 4_000;
const DOWN_MS = 6_000;
const LIVE_WITHIN_MS = 20_000;
/** A message that comes this soon after its 201 came by pub/sub, because reconcile runs only every 15 s. */
const LIVE_MS = 200;
const LIVE_IN_A_ROW = 5;
const MIN_OK_SHARE = 0.999;

/** Redis dies, hangs, or fails over. Sends must continue, and delivery must soon be live again. */
export const redisDown: Measurement = {
  name: 'redis-down',
  what: 'The Redis that serves a user is killed, and stopped with SIGSTOP, and comes back (or another takes over).',
  kinds: ['single', 'sentinel', 'cluster'],
  measure: async (site) => {
    const figures = [...(await away(site, 'killed')), ...(await away(site, 'hung'))];
    if (site.world.redis.failover !== undefined) figures.push(...(await away(site, 'failed over')));
    return figures;
  },
};

async function away(site: Site, how: 'killed' | 'hung' | 'failed over'): Promise<Figure[]> {
  const { redis, gateways } = site.world;
  const key = `${redis.prefix}{u1}:offline`;
  const load = new Load({ api: site.api(), from: 'u0', to: () => ['u1'], senders: 8, pauseMs: 20 });
  await sleep(CALM_MS);
  const node = await redis.nodeOf(key);
  const errors = async (): Promise<number> => {
    const counts = await Promise.all(
      gateways.map((gateway) => gateway.metric('posthorn_store_errors_total')),
    );
    return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  };
  const errorsBefore = await errors();
  const downAt = performance.now();
  if (how === 'failed over') await redis.failover?.();
  else node.kill(how === 'killed' ? 'SIGKILL' : 'SIGSTOP');
  const noticed =
    how === 'hung' ? await timeUntil(async () => (await errors()) > errorsBefore, DOWN_MS, 50) : null;
  await sleep(Math.max(0, downAt + DOWN_MS - performance.now()));
  if (how === 'hung') node.kill('SIGCONT');
  if (how === 'killed') await node.start();
  const upAt = performance.now();
  const live = await untilLive(site);
  const liveAt = performance.now();
  const sends = await load.stop();
  await reviveNodes(site.world);
  return [
    share(`Redis ${how}: sends answered 201`, begunIn(sends, downAt, liveAt)),
    atMost(
      `Redis ${how}: p99 of a send, more than before`,
      500,
      p99(begunIn(sends, downAt, upAt)) - p99(begunIn(sends, 0, downAt)),
    ),
    ...(how === 'hung' ? [atMost('Redis hung: a gateway notices', 4_000, noticed)] : []),
    atMost(`Redis ${how}: delivery is live again after it is back`, 5_000, live),
  ];
}

/** How long until messages to a device on each gateway come at once, several in a row. */
async function untilLive(site: Site): Promise<number | null> {
  const startedAt = performance.now();
  const api = site.api();
  const times = await Promise.all(
    site.world.gateways.map(async (_, index) => {
      const user = `u${2 + index}`;
      const client = await site.connect(user, index, `live-${startedAt}`).catch(() => null);
      if (client === null) return null;
      const come = new Set<string>();
      onMessage(client, ({ message }) => come.add(message.id));
      let row = 0;
      const time = await timeUntil(
        async () => {
          const answer = await api.send('u0', `live-${performance.now()}`, { to: [user], text: 'live?' });
          await sleep(LIVE_MS);
          const hasCome = answer.isAccepted && come.has(answer.id);
          row = hasCome ? row + 1 : 0;
          return row === LIVE_IN_A_ROW;
        },
        LIVE_WITHIN_MS,
        0,
      );
      client.terminate();
      return time;
    }),
  );
  return times.reduce<number | null>(
    (max, ms) => (max === null || ms === null ? null : Math.max(max, ms)),
    0,
  );
}

function begunIn(sends: readonly LoadedSend[], from: number, to: number): LoadedSend[] {
  return sends.filter(({ begun }) => begun >= from && begun < to);
}

function p99(sends: readonly LoadedSend[]): number {
  return percentile(
    sends.map(({ answer }) => answer.ms),
    0.99,
  );
}

function share(what: string, sends: readonly LoadedSend[]): Figure {
  const ok = sends.filter(({ answer }) => answer.isAccepted).length;
  return {
    what,
    bound: `≥ ${100 * MIN_OK_SHARE} %`,
    seen: `${((100 * ok) / sends.length).toFixed(2)} % of ${sends.length}`,
    isGood: sends.length > 0 && ok / sends.length >= MIN_OK_SHARE,
  };
}
