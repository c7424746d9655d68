import {
  commitAroundLocks,
  type DeviceRelease,
  deviceLock,
  type InboxDatabase,
  releaseDevices,
} from '@posthorn/inbox';
import { Batcher, type Logger } from '@posthorn/runtime';
import { isUnavailable } from './unavailable';

/** Ended connections that could not be recorded yet; beyond it the next claim of the device sets it right. */
const MAX_WAITING = 20_000;

/** Records that connections ended. What Postgres could not take waits for the next reconcile. */
export class DeviceReleaser {
  readonly #releases: Batcher<DeviceRelease, true>;
  readonly #log: Logger;
  #waiting: DeviceRelease[] = [];

  constructor(db: InboxDatabase, log: Logger) {
    this.#log = log;
    this.#releases = new Batcher({
      name: 'releases',
      maxBatch: 500,
      maxPending: 100_000,
      concurrency: 1,
      run: (holds) =>
        commitAroundLocks(holds, null, {
          commit: async (some, lockWaitMs) => {
            await releaseDevices(db, some, lockWaitMs);
            return some.map(() => true as const);
          },
          locksOf: (hold) => [deviceLock(hold)],
        }),
    });
  }

  /** The connection ended. */
  release(hold: DeviceRelease): void {
    this.#releases.submit(hold).catch((error: unknown) => {
      if (!isUnavailable(error))
        this.#log.error('the end of a connection could not be recorded', { user: hold.user, error });
      if (this.#waiting.length < MAX_WAITING) this.#waiting.push(hold);
    });
  }

  /** Tries again what waits. */
  retry(): void {
    for (const hold of this.#waiting.splice(0)) this.release(hold);
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#releases.idle();
  }
}
