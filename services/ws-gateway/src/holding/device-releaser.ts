import {
  type DeviceRelease,
  type DeviceReleased,
  deviceLock,
  GroupCommit,
  type InboxDatabase,
  releaseDevices,
} from '@posthorn/inbox';
import type { Logger } from '@posthorn/runtime';
import { LateWrites } from '../acknowledge/late-writes';

/** How many ended connections may wait to be recorded. If more end, the device's next claim corrects it. */
const MAX_WAITING = 100_000;
/** How often an undo is tried while a newer claim covers it: until the newer connect has opened or failed. */
const UNDO_ATTEMPTS = 20;

interface LateRelease {
  user: string;
  device: string;
  hold: DeviceRelease;
  attempts: number;
}

/** Records in Postgres that connections ended. During an outage it tries again until Postgres takes it. */
export class DeviceReleaser {
  readonly #releases: GroupCommit<DeviceRelease, DeviceReleased>;
  readonly #late: LateWrites<LateRelease>;

  constructor(db: InboxDatabase, log: Logger) {
    this.#releases = new GroupCommit({
      name: 'releases',
      maxBatch: 500,
      maxPending: MAX_WAITING,
      concurrency: 1,
      // `LateWrites` tries again what meets a locked row.
      maxLocked: 0,
      commit: (holds, lockWaitMs) => releaseDevices(db, holds, lockWaitMs),
      locksOf: (hold) => [deviceLock(hold)],
    });
    this.#late = new LateWrites<LateRelease>({
      write: (late) => this.#write(late),
      onError: ({ user }, error) =>
        log.error('the end of a connection could not be recorded', { user, error }),
      max: MAX_WAITING,
    });
  }

  /** The connection ended, or was never opened. */
  release(hold: DeviceRelease): void {
    this.#late.add({ user: hold.user, device: hold.device, hold, attempts: 0 });
  }

  /**
   * Tries the releases of this device once more. Call it before the device is claimed again, so that the end of an old
   * connection is not recorded for the new one.
   */
  settle(user: string, device: string): Promise<void> {
    return this.#late.settle(user, device);
  }

  /** Resolves to true when nothing is left, to false after `withinMs`. */
  idle(withinMs: number): Promise<boolean> {
    return this.#late.idle(withinMs);
  }

  stop(): void {
    this.#late.stop();
  }

  /** A newer claim may cover the claim to undo. If it is undone as well, this one must be undone after it. */
  async #write(late: LateRelease): Promise<boolean> {
    const { isCovered } = await this.#releases.add(late.hold);
    late.attempts++;
    return !isCovered || late.attempts >= UNDO_ATTEMPTS;
  }
}
