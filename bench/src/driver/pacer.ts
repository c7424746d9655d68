import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** `count` events, `everyMs` apart. Times are epoch milliseconds with fractions. */
interface Pace {
  startAt: number;
  everyMs: number;
  count: number;
}

/**
 * Calls `onDue` at a fixed rate, each time with the moment (in this thread's `performance.now`) when it was due. A
 * separate thread waits with `Atomics.wait`, because timers of the event loop are late by a millisecond or more.
 */
export async function pace(everyMs: number, count: number, onDue: (dueAt: number) => void): Promise<void> {
  const startAt = performance.timeOrigin + performance.now() + LEAD_MS;
  const worker = new Worker(__filename, { workerData: { startAt, everyMs, count } satisfies Pace });
  await new Promise<void>((resolve, reject) => {
    worker.on('message', (nth: number) => onDue(startAt + nth * everyMs - performance.timeOrigin));
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
}

/** The thread needs about this long to start. */
const LEAD_MS = 200;

if (!isMainThread && parentPort !== null) {
  const { startAt, everyMs, count } = workerData as Pace;
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  for (let nth = 0; nth < count; nth++) {
    const waitMs = startAt + nth * everyMs - performance.timeOrigin - performance.now();
    if (waitMs > 0) Atomics.wait(nobody, 0, 0, waitMs);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
    parentPort.postMessage(nth);
  }
}
