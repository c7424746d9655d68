import { createServer } from 'node:net';
import { eventually, FaultProxy, HANG_MS } from '@posthorn/testing';
import { ReplyError } from 'ioredis';
import {
  countTo,
  openConnection,
  openTestRouting,
  PATIENT,
  type TestRouting,
} from '../../test/routing-fixture';
import { REDIS_WAITS } from '../times';
import type { Command } from './redis-commands';
import { RedisConnection } from './redis-connection';
import { RedisOutageError } from './redis-outage-error';

let routing: TestRouting;
let proxy: FaultProxy;
let redis: RedisConnection;

/** An open breaker stays open: whatever the machine does, none is tried again behind the test's back. */
const waits = { ...PATIENT, halfOpenMs: 10 * HANG_MS };

beforeEach(async () => {
  routing = openTestRouting();
  proxy = await FaultProxy.open(routing.url);
  redis = await openConnection(proxy.through(routing.url), waits);
});

afterEach(async () => {
  redis.close();
  await routing.close();
  await proxy.close();
});

/** What does harm when it is done twice. */
function appending(name: string): Command<'posthornRoute'> {
  return [
    'posthornRoute',
    routing.keys.presence(name),
    routing.keys.offline(name),
    ' ',
    ' ',
    ' ',
    100,
    60,
    'x',
  ];
}

async function append(name: string, waitMs?: number): Promise<string[]> {
  return await redis.run(appending(name), waitMs);
}

async function lengthOf(name: string): Promise<number> {
  return await routing.client.llen(routing.keys.offline(name));
}

async function expectRecovery(): Promise<void> {
  proxy.mode = 'pass';
  await eventually('Redis is back', async () => {
    await append('back');
    return await redis.answers();
  });
}

test('§6: a command whose answer was lost is not sent again: it happened once', async () => {
  proxy.mode = 'drop-replies';
  await expect(append('once', 250)).rejects.toBeInstanceOf(RedisOutageError);
  await eventually('it was executed', async () => (await lengthOf('once')) === 1);
  proxy.mode = 'reset';
  await expectRecovery();
  expect(await lengthOf('once')).toBe(1);
});

test('§6: commands that are under way when the connection breaks are not sent again', async () => {
  proxy.mode = 'drop-replies';
  const single = append('cut');
  const together = redis.runAll(countTo(3).map(() => appending('cut')));
  const settled = Promise.allSettled([single, together]);
  await eventually('they were executed', async () => (await lengthOf('cut')) === 4);
  proxy.mode = 'reset';
  expect(await settled).toEqual([
    { status: 'rejected', reason: expect.any(RedisOutageError) },
    { status: 'fulfilled', value: countTo(3).map(() => expect.any(RedisOutageError)) },
  ]);
  await expectRecovery();
  expect(await lengthOf('cut')).toBe(4);
});

test('§4: without Redis a command fails at once and is not kept for later', async () => {
  proxy.mode = 'reset';
  await eventually('the connection is lost', async () => !(await redis.answers()));
  await expect(append('kept')).rejects.toThrow('not connected');
  await expectRecovery();
  expect(await lengthOf('kept')).toBe(0);
});

test('§4: with a hung Redis a command ends after its wait, and after a few they fail at once', async () => {
  proxy.mode = 'blackhole';
  const faults = jest.fn();
  redis.onFault(faults);
  for (const _ of countTo(3)) await expect(append('hung', 100)).rejects.toThrow('no answer in time');
  // The next one would wait for longer than a test may take.
  await expect(append('hung', 10 * HANG_MS)).rejects.toThrow('circuit breaker is open');
  expect(faults).toHaveBeenCalledTimes(4);
  expect(await redis.answers()).toBe(false);
  proxy.cut();
  await expectRecovery();
});

test('§4: a send waits for Redis within 500 ms; a hung Redis is given up soon, and by itself', async () => {
  expect(REDIS_WAITS.limitMs + REDIS_WAITS.routeMs).toBeLessThan(500);
  const hung = await openConnection(proxy.through(routing.url), REDIS_WAITS);
  let readies = 0;
  hung.onReady(() => readies++);
  proxy.mode = 'blackhole';
  await expect(hung.run(appending('hung'))).rejects.toThrow('no answer in time');
  proxy.mode = 'pass';
  // A stream that lost something stays silent: only a new one answers.
  await eventually('a new connection', () => readies > 0);
  await eventually('Redis answers', () => hung.answers());
  hung.close();
});

test('an answer that is an error of one command does not fail its neighbours', async () => {
  await routing.client.set(routing.keys.offline('text'), 'x');
  const replies = await redis.runAll(['a', 'text', 'b'].map(appending));
  expect(replies).toEqual([['listed'], expect.any(ReplyError), ['listed']]);
});

test('§2: being ready is told each time, with a line in the log for each change', async () => {
  const lines: string[] = [];
  const log = (message: string): void => void lines.push(message);
  const other = new RedisConnection(proxy.through(routing.url), { info: log, warn: log });
  let readies = 0;
  other.onReady(() => readies++);
  await eventually('it is ready', () => readies === 1);
  proxy.mode = 'reset';
  await eventually('the loss is logged', () => lines.length === 1);
  proxy.mode = 'pass';
  await eventually('it is ready again', () => readies === 2);
  expect(lines).toEqual(['Redis connection lost', 'Redis connection back']);
  other.close();
});

test('§2: it tries for ever, and a loss is logged once, not for each attempt', async () => {
  const lines: string[] = [];
  const log = (message: string): void => void lines.push(message);
  let attempts = 0;
  const refusing = createServer((socket) => {
    attempts++;
    socket.resetAndDestroy();
  });
  const port = await new Promise<number>((resolve) => {
    refusing.listen(0, '127.0.0.1', () => {
      const address = refusing.address();
      if (address !== null && typeof address === 'object') resolve(address.port);
    });
  });
  const other = new RedisConnection(`redis://127.0.0.1:${port}`, { info: log, warn: log });
  await eventually('some attempts', () => attempts >= 4);
  expect(lines).toEqual(['Redis connection lost']);
  other.close();
  await new Promise((resolve) => refusing.close(resolve));
});
