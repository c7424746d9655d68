import { type DeviceHold, type InboxDatabase, OutageError, releaseDevices } from '@posthorn/inbox';
import { Batcher, OverloadedError } from '@posthorn/runtime';

/** Ended connections that could not be recorded yet; beyond it the next claim of the device sets it right. */
const MAX_WAITING = 20_000;

/** Records that connections ended. What Postgres could not take waits for the next reconcile. */
export class DeviceReleaser {
  readonly #releases: Batcher<DeviceHold, true>;
  #waiting: DeviceHold[] = [];

  constructor(db: InboxDatabase) {
    this.#releases = new Batcher({
      name: 'releases',
      maxBatch: 500,
      maxPending: 100_000,
      concurrency: 1,
      run: async (holds) => {
        await releaseDevices(db, holds);
        return holds.map(() => true as const);
      },
    });
  }

  /** The connection ended. */
  release(hold: DeviceHold): void {
    this.#releases.submit(hold).catch((error: unknown) => {
      if (!(error instanceof OutageError) && !(error instanceof OverloadedError)) throw error;
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
