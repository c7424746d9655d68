import { Session, type SessionHost } from '../session/session';
import { ConnectionTable } from './connection-table';
import { stopConnections } from './stop-connections';

const DRAIN_MS = 4_000;
const COUNT = 1_000;

beforeEach(() => jest.useFakeTimers({ now: 0 }));
afterEach(() => jest.useRealTimers());

test('§5: connections are sent away one after the other, all of them within the drain', async () => {
  const table = new ConnectionTable();
  const leftAtMs: number[] = [];
  const host: SessionHost = {
    deliveryWindow: 1,
    maxBufferedBytes: 1,
    heartbeatMs: 1,
    rateLimitFrames: 0,
    onSent: () => undefined,
    onSkipped: () => undefined,
    onWant: () => undefined,
    onAck: () => undefined,
    onLeave: (session) => {
      table.remove(session);
      leftAtMs.push(Date.now());
    },
  };
  for (let index = 0; index < COUNT; index++) {
    const request = { user: `user-${index}`, device: 'phone', isAutoAck: false, tokenExpiresAtMs: 0 };
    table.add(new Session(request, host, 0));
  }
  const stopped = stopConnections(table, DRAIN_MS);
  await jest.advanceTimersByTimeAsync(DRAIN_MS);
  await stopped;
  expect(leftAtMs).toHaveLength(COUNT);
  expect(leftAtMs[0]).toBe(0);
  // A fifth of the time is left for what they still acknowledge.
  expect(leftAtMs.at(-1)).toBeLessThanOrEqual(DRAIN_MS * 0.8);
  for (let quarter = 1; quarter <= 3; quarter++) {
    const gone = leftAtMs.filter((atMs) => atMs <= (quarter * DRAIN_MS * 0.8) / 4).length;
    expect(gone).toBeGreaterThanOrEqual((quarter * COUNT) / 4 - COUNT / 10);
    expect(gone).toBeLessThanOrEqual((quarter * COUNT) / 4 + COUNT / 10);
  }
});
