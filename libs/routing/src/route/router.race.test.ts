import { eventually } from '@posthorn/testing';
import { countTo, openTestRouting, routable, type TestRouting } from '../../test/routing-fixture';

let routing: TestRouting;

beforeAll(() => {
  routing = openTestRouting();
});

afterAll(async () => {
  await routing.close();
});

const ROUNDS = 8;
const MAX_ROUNDS = 50;
const USERS_PER_ROUND = 32;

/** True while only one of the two orders was met: that proves nothing yet. */
function isOneSided(ways: { published: number; listed: number }): boolean {
  return ways.published === 0 || ways.listed === 0;
}

/** Takes this many turns of the event loop first, so that two steps meet in every order. */
async function afterTurns<T>(turns: number, work: () => Promise<T>): Promise<T> {
  for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
  return await work();
}

test('§6: a send and a connect at the same moment: the entry is published to the gateway, or in the list that it reads next', async () => {
  const notices = await routing.listen('gateway');
  const [sender, gateway] = [await routing.start(), await routing.start()];
  const published: string[] = [];
  const ways = { published: 0, listed: 0 };
  for (let round = 0; round < ROUNDS || (isOneSided(ways) && round < MAX_ROUNDS); round++) {
    await Promise.all(
      countTo(USERS_PER_ROUND).map(async (index) => {
        const user = `connect-${round}-${index}`;
        const [summary, found] = await Promise.all([
          afterTurns(index % 4, () => sender.router.route([routable({ [user]: 1 })])),
          afterTurns((index >> 2) % 4, async () => {
            const [holders] = await gateway.presence.hold('gateway', [{ user, count: 1 }]);
            expect(holders).not.toBeNull();
            return await gateway.list.read(user, 0, 10);
          }),
        ]);
        expect([user, summary.published + summary.listed]).toEqual([user, 1]);
        expect([user, found.length]).toEqual([user, summary.listed]);
        ways.published += summary.published;
        ways.listed += summary.listed;
        if (summary.published === 1) published.push(user);
      }),
    );
  }
  await eventually('every publish arrived', () => {
    const items = notices.flatMap((notice) => (notice.type === 'entries' ? notice.items : []));
    const arrived = new Set(items.flatMap(({ to }) => to.map(([user]) => user)));
    return published.every((user) => arrived.has(user));
  });
  expect(isOneSided(ways)).toBe(false);
});

test('§6: a send and a disconnect at the same moment: the entry is published or listed, never neither', async () => {
  await routing.listen('leaving');
  const [sender, gateway] = [await routing.start(), await routing.start()];
  const ways = { published: 0, listed: 0 };
  for (let round = 0; round < ROUNDS || (isOneSided(ways) && round < MAX_ROUNDS); round++) {
    const users = countTo(USERS_PER_ROUND).map((index) => `leave-${round}-${index}`);
    await gateway.presence.hold(
      'leaving',
      users.map((user) => ({ user, count: 1 })),
    );
    // Now the sender knows the gateway, so that a route takes one trip, as a disconnect does.
    await sender.router.route([routable({ [users[0] ?? '']: 1 })]);
    await Promise.all(
      users.slice(1).map(async (user, index) => {
        const [summary] = await Promise.all([
          afterTurns(index % 3, () => sender.router.route([routable({ [user]: 1 })])),
          afterTurns((index >> 2) % 8, () => gateway.presence.hold('leaving', [{ user, count: 0 }])),
        ]);
        const listed = await gateway.list.read(user, 0, 10);
        expect([user, summary.published + listed.length]).toEqual([user, 1]);
        ways.published += summary.published;
        ways.listed += listed.length;
      }),
    );
  }
  expect(isOneSided(ways)).toBe(false);
});

test('§6: two senders and two gateways that come and go leave the counts of the last word', async () => {
  const [one, two] = [await routing.start(), await routing.start()];
  await routing.lease('g1');
  await routing.lease('g2');
  await Promise.all(
    countTo(60).map(async (turn) => {
      await one.presence.hold('g1', [{ user: 'busy', count: turn % 3 }]);
      await two.presence.hold('g2', [{ user: 'busy', count: (turn + 1) % 3 }]);
    }),
  );
  await one.presence.hold('g1', [{ user: 'busy', count: 0 }]);
  await two.presence.hold('g2', [{ user: 'busy', count: 2 }]);
  expect(await one.presence.findHolders(['busy'])).toEqual([new Map([['g2', 2]])]);
});
