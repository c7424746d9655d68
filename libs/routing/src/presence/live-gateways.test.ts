import { openTestRouting, type TestProcess, type TestRouting } from '../../test/routing-fixture';

let routing: TestRouting;
let process: TestProcess;

beforeAll(async () => {
  routing = openTestRouting();
});

beforeEach(async () => {
  process = await routing.start();
  passMs(0);
});

afterEach(() => {
  jest.restoreAllMocks();
});

afterAll(async () => {
  await routing.close();
});

/** Lets this much time pass, as the library sees it. */
function passMs(ms: number): void {
  const now = Date.now() + ms;
  jest.spyOn(Date, 'now').mockImplementation(() => now);
}

test('§6: an id that was not met is in none of the words: unknown, not dead', async () => {
  expect(await process.gateways.words()).toEqual({ live: ' ', absent: ' ', dead: ' ' });
});

test('§6: a lease tells whether a gateway lives; read again after a second', async () => {
  await routing.lease('g1');
  expect(await process.gateways.findLive(['g1', 'g2', 'g1'])).toEqual({
    live: new Set(['g1']),
    unknown: new Set(),
  });
  expect(await process.gateways.words()).toEqual({ live: ' g1 ', absent: ' g2 ', dead: ' ' });
  await routing.client.del(routing.keys.lease('g1'));
  await routing.lease('g2');
  passMs(999);
  expect(await process.gateways.findLive(['g1', 'g2'])).toMatchObject({ live: new Set(['g1']) });
  passMs(2);
  expect(await process.gateways.words()).toEqual({ live: ' g2 ', absent: ' g1 ', dead: ' ' });
});

test('§6: gone counts from when it was first found gone, and a lease that returns ends it', async () => {
  await process.gateways.read(['g5']);
  passMs(59_000);
  expect(await process.gateways.words()).toMatchObject({ absent: ' g5 ', dead: ' ' });
  passMs(2_000);
  expect(await process.gateways.words()).toMatchObject({ absent: ' ', dead: ' g5 ' });
  await routing.lease('g5');
  passMs(1_000);
  expect(await process.gateways.words()).toEqual({ live: ' g5 ', absent: ' ', dead: ' ' });
});

test('§6: what nobody meets for two minutes is forgotten, what is used is not', async () => {
  for (const id of ['used', 'idle']) await routing.lease(id);
  await process.gateways.read(['used', 'idle']);
  passMs(119_000);
  process.gateways.markUsed(['used', 'stranger']);
  passMs(2_000);
  expect(await process.gateways.words()).toEqual({ live: ' used ', absent: ' ', dead: ' ' });
});

test('§6: also where only presence asks, as in a gateway, what nobody meets is forgotten', async () => {
  await process.gateways.findLive(['old', 'met']);
  passMs(119_000);
  await process.gateways.findLive(['met']);
  passMs(2_000);
  await process.gateways.findLive(['new']);
  // What is known is told in words, of what is gone as well; what is not known is in none.
  passMs(500);
  const { live, absent, dead } = await process.gateways.words();
  const known = `${live}${absent}${dead}`.trim().split(/\s+/);
  expect(known.sort()).toEqual(['met', 'new']);
});
