import { setTimeout as sleep } from 'node:timers/promises';
import type { TestClient } from '@posthorn/testing';
import { Load, percentile } from './load';
import { type Figure, type Measurement } from './measurement';
import { onMessage, type Site } from './site';

const ROUNDS = 5;
const ROUND_MS = 5_000;
const SLOW = ['u10', 'u11', 'u12', 'u13'];
const READERS = ['u1', 'u2', 'u3', 'u4'];
const MAY_DIFFER = 0.2;

/** Devices that do not read must cost the others nothing. */
export const slowReaders: Measurement = {
  name: 'slow-readers',
  what: `${SLOW.length} of ${SLOW.length + READERS.length} devices of a gateway read or do not read, in turn, under the same load.`,
  kinds: ['single'],
  measure: async (site) => {
    const readers = await Promise.all(READERS.map((user) => acknowledging(site, user)));
    const slow = await Promise.all(SLOW.map((user) => acknowledging(site, user)));
    const everybody = [...READERS, ...SLOW];
    const lags: { calm: number[]; slow: number[] } = { calm: [], slow: [] };
    let phase: number[] = [];
    for (const client of readers)
      onMessage(client, ({ message }) => phase.push(Date.now() - Date.parse(message.createdAt)));
    const load = new Load({
      api: site.api(),
      from: 'u0',
      to: (n) => [everybody[n % everybody.length] ?? 'u1'],
      senders: 4,
      pauseMs: 10,
      text: 'x'.repeat(1_000),
    });
    await sleep(ROUND_MS);
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of ['calm', 'slow'] as const) {
        for (const client of slow) if (name === 'slow') client.socket.pause();
        phase = [];
        await sleep(ROUND_MS);
        lags[name].push(percentile(phase, 0.99));
        for (const client of slow) client.socket.resume();
      }
    }
    await load.stop();
    for (const client of [...readers, ...slow]) client.terminate();
    return [ratio(percentile(lags.calm, 0.5), percentile(lags.slow, 0.5))];
  },
};

function ratio(calm: number, slow: number): Figure {
  return {
    what: `delivery p99 of the others, in ${ROUNDS} rounds`,
    bound: `≤ ${1 + MAY_DIFFER} × that with everybody reading`,
    seen: `${(slow / calm).toFixed(2)} × (${slow} ms, ${calm} ms)`,
    isGood: slow <= calm * (1 + MAY_DIFFER),
  };
}

async function acknowledging(site: Site, user: string): Promise<TestClient> {
  const client = await site.connect(user, 0);
  onMessage(client, ({ seq }) => {
    if (seq % 10 === 0) client.send({ type: 'ack', seq });
  });
  return client;
}
