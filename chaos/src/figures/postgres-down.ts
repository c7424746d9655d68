import { setTimeout as sleep } from 'node:timers/promises';
import { signalIfThere } from '../faults/signal-if-there';
import { Load, type LoadedSend } from './load';
import { atMost, type Figure, type Measurement, none } from './measurement';
import type { Site } from './site';
import { timeUntil } from './wait';

const CALM_MS = 2_000;
const DOWN_MS = 6_000;
const BACK_WITHIN_MS = 20_000;
/** The protocol allows 2 s for an answer; the rest is for the harness. */
const ANSWER_BOUND_MS = 2_100;

/** Postgres fails by a crash and by a hang, and comes back. */
export const postgresDown: Measurement = {
  name: 'postgres-down',
  what: 'Postgres crashes, and hangs, and comes back: what sends are answered, and when all works again.',
  kinds: ['single'],
  measure: async (site) => [
    ...(await away(site, 'crashed', {
      down: () => site.world.postgres.stop('immediate'),
      up: () => site.world.postgres.start(),
    })),
    ...(await away(site, 'hung', {
      down: async () => signalAll(site, 'SIGSTOP'),
      up: async () => signalAll(site, 'SIGCONT'),
    })),
  ],
};

function signalAll({ world }: Site, signal: NodeJS.Signals): void {
  for (const pid of world.postgres.pids()) signalIfThere(pid, signal);
}

async function away(
  site: Site,
  how: string,
  { down, up }: { down: () => Promise<void>; up: () => Promise<void> },
): Promise<Figure[]> {
  const load = new Load({ api: site.api(), from: 'u0', to: () => ['u1'], senders: 8, pauseMs: 20 });
  await sleep(CALM_MS);
  await down();
  const downAt = performance.now();
  await sleep(DOWN_MS);
  const upAt = performance.now();
  await up();
  const healthy = await allWorks(site);
  const sends = await load.stop();
  const during = sends.filter(({ begun }) => begun > downAt && begun < upAt - ANSWER_BOUND_MS);
  const longest = Math.max(...during.map(({ answer }) => answer.ms));
  const others = during.filter(({ answer }) => answer.isAccepted || answer.http !== 503).length;
  return [
    none(`Postgres ${how}: sends with another answer than 503`, others, during.length),
    atMost(`Postgres ${how}: longest wait for the 503`, ANSWER_BOUND_MS, longest),
    atMost(`Postgres ${how}: everything works again after it is back`, 5_000, healthy),
    await falseAnswers(site, how, sends),
  ];
}

/** How long until every send-api accepts, every gateway accepts connections, and messages arrive. */
async function allWorks(site: Site): Promise<number | null> {
  const startedAt = performance.now();
  const parts = [
    ...site.world.apis.map((_, index) => async () => {
      const { isAccepted } = await site
        .api(index)
        .send('u0', `back-${performance.now()}`, { to: ['u1'], text: 'back' });
      return isAccepted;
    }),
    ...site.world.gateways.map((_, index) => async () => {
      const client = await site.connect('u2', index, `back-${index}`);
      await client.nextOf('caughtUp', 2_000).finally(() => client.terminate());
      return true;
    }),
  ];
  const times = await Promise.all(parts.map((part) => timeUntil(part, BACK_WITHIN_MS)));
  return times.includes(null) ? null : performance.now() - startedAt;
}

async function falseAnswers({ world }: Site, how: string, sends: readonly LoadedSend[]): Promise<Figure> {
  const ids = sends.flatMap(({ answer }) => (answer.isAccepted ? [answer.id] : []));
  const rows = await world.postgres.query<{ stored: number }>(
    'SELECT count(*)::float8 AS stored FROM message WHERE id = ANY($1::uuid[])',
    [ids],
  );
  return none(
    `Postgres ${how}: 201 whose message is not there`,
    ids.length - (rows[0]?.stored ?? 0),
    ids.length,
  );
}
