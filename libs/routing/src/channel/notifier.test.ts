import type { ReceiptNews } from '@posthorn/protocol';
import { eventually, FaultProxy } from '@posthorn/testing';
import { openTestRouting, type TestProcess, type TestRouting } from '../../test/routing-fixture';
import type { GatewayNotice } from './gateway-notice';
import { Notifier } from './notifier';

let routing: TestRouting;
let process: TestProcess;
let notifier: Notifier;
let one: GatewayNotice[];
let two: GatewayNotice[];

beforeAll(async () => {
  routing = openTestRouting();
  process = await routing.start();
  notifier = new Notifier(process.redis, routing.keys, process.presence);
  [one, two] = [await routing.listen('g1'), await routing.listen('g2')];
  await process.presence.hold('g1', [
    { user: 'alice', count: 1 },
    { user: 'bob', count: 1 },
  ]);
  await process.presence.hold('g2', [{ user: 'bob', count: 1 }]);
  await process.presence.hold('dead', [{ user: 'alice', count: 1 }]);
});

beforeEach(() => {
  one.length = 0;
  two.length = 0;
});

afterAll(async () => {
  await routing.close();
});

const news = (sender: string, user = 'reader'): ReceiptNews => ({
  messageId: '019a0000-0000-7000-8000-00000000abcd',
  sender,
  user,
  status: 'delivered',
  at: '2026-11-22T12:00:00.000Z',
});

test('§5: receipts go to the gateways that hold the senders, one publish each', async () => {
  const all = [news('alice'), news('bob'), news('alice', 'other'), news('offline')];
  expect(await notifier.publishReceipts(all)).toBe(true);
  await eventually('both notices', () => one.length > 0 && two.length > 0);
  expect(one).toEqual([{ type: 'receipts', news: [all[0], all[1], all[2]] }]);
  expect(two).toEqual([{ type: 'receipts', news: [all[1]] }]);
});

test('§5: a gateway does not tell itself what it told its own connections', async () => {
  expect(await notifier.publishReceipts([news('bob')], 'g1')).toBe(true);
  expect(await notifier.publishReceipts([news('alice')])).toBe(true);
  // A channel keeps its order: what was for it before would be there by now.
  await eventually('both notices', () => one.length > 0 && two.length > 0);
  expect([one, two]).toEqual([
    [{ type: 'receipts', news: [news('alice')] }],
    [{ type: 'receipts', news: [news('bob')] }],
  ]);
  expect(await notifier.publishReceipts([])).toBe(true);
  expect(await notifier.publishReceipts([news('offline')])).toBe(true);
});

test('§5: a takeover is told to the gateway that held the device', async () => {
  await notifier.publishTakeover('g2', { user: 'bob', device: 'phone', fence: 4, epoch: 'e' });
  await notifier.publishReceipts([news('alice')]);
  await eventually('both notices', () => one.length > 0 && two.length > 0);
  expect([one, two]).toEqual([
    [{ type: 'receipts', news: [news('alice')] }],
    [{ type: 'takeover', user: 'bob', device: 'phone', fence: 4, epoch: 'e' }],
  ]);
});

test('§5: a connection beyond the limit is ended where it is', async () => {
  await notifier.publishSurplus('g1', { user: 'bob', device: 'phone' });
  await notifier.publishReceipts([news('bob')], 'g1');
  await eventually('both notices', () => one.length > 0 && two.length > 0);
  expect([one, two]).toEqual([
    [{ type: 'surplus', user: 'bob', device: 'phone' }],
    [{ type: 'receipts', news: [news('bob')] }],
  ]);
});

test('§2: an operator’s disconnect reaches every gateway that holds the user', async () => {
  await notifier.publishDisconnect('bob');
  await notifier.publishDisconnect('bob', 'phone');
  await notifier.publishDisconnect('offline');
  await eventually('the notices', () => one.length === 2 && two.length === 2);
  expect(one).toEqual([
    { type: 'disconnect', user: 'bob' },
    { type: 'disconnect', user: 'bob', device: 'phone' },
  ]);
  expect(two).toEqual(one);
});

test('§5: without Redis receipts are lost, and that is said; a takeover fails', async () => {
  const proxy = await FaultProxy.open(routing.url);
  const cut = await routing.start({ url: proxy.through(routing.url) });
  const deaf = new Notifier(cut.redis, routing.keys, cut.presence);
  proxy.mode = 'reset';
  expect(await deaf.publishReceipts([news('alice')])).toBe(false);
  await expect(
    deaf.publishTakeover('g1', { user: 'bob', device: 'phone', fence: 4, epoch: 'e' }),
  ).rejects.toMatchObject({
    name: 'RedisOutageError',
  });
  await expect(deaf.publishDisconnect('bob')).rejects.toMatchObject({ name: 'RedisOutageError' });
  cut.redis.close();
  await proxy.close();
});
