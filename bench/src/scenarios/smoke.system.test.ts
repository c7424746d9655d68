import { systemNames } from '../systems/start-system';
import { drainOnce } from './drain';
import { connectAll, loadOutcome, measureLoad } from './load';
import { type Outcome, withTrial } from './trial';

const stores = {
  databaseUrl: process.env['POSTHORN_TEST_DATABASE_URL'] ?? '',
  redisUrl: process.env['POSTHORN_TEST_REDIS_URL'] ?? '',
  processes: [],
  stop: async () => {},
};
// The number of messages ends each load, not its time.
const rest = { seconds: 120, scale: 1, say: () => {} };
const DEVICES = 20;
const load = { senders: 4, users: 64, devices: DEVICES };

/** All that was due came, once, to whom it was for. */
function expectWhole({ account, receipts }: Outcome, messages: number, deliveries: number): void {
  expect(account).toEqual({
    accepted: messages,
    refused: 0,
    due: deliveries,
    arrived: deliveries,
    lost: 0,
    twice: 0,
    toTheWrongOne: 0,
  });
  expect([null, deliveries]).toContain(receipts);
}

describe.each(systemNames)('%s', (name) => {
  it('takes the load, and every message is accounted for', async () => {
    await withTrial(name, stores, {}, rest, async (trial) => {
      await connectAll(trial, DEVICES);
      const oneToOne = loadOutcome(await measureLoad(trial, { ...load, maxMessages: 100 }));
      expectWhole(oneToOne, 100, 100);
      expect(oneToOne.figures.frameP99).toBeGreaterThan(0);
      expect(oneToOne.cpu === null || Object.keys(oneToOne.cpu).length === 2).toBe(true);

      const toAll = loadOutcome(await measureLoad(trial, { ...load, isToAll: true, maxMessages: 5 }));
      expectWhole(toAll, 5, 5 * DEVICES);

      const atRate = loadOutcome(await measureLoad(trial, { ...load, perSecond: 100, maxMessages: 50 }));
      expectWhole(atRate, 50, 50);
    });
  });

  if (name === 'socket.io') return; // it keeps nothing for who is away

  it('keeps what is sent to somebody who is away', async () => {
    await withTrial(name, stores, {}, rest, async (trial) => {
      expectWhole(await drainOnce(trial, 50), 50, 500);
    });
  });
});

it('a process tells its memory', async () => {
  await withTrial('floor', stores, { tellsMemory: true }, rest, async ({ system }) => {
    const memories = await Promise.all(system.processes.map((process) => process.memory()));
    for (const { rss, heapUsed } of memories) expect(rss).toBeGreaterThan(heapUsed);
  });
});
