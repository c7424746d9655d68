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

/** Ended connections that are not recorded yet; beyond it the next claim of the device sets it right. */
const MAX_WAITING = 100_000;
/** Within these attempts it is decided whether the connect that came after one that was given up came to be. */
const UNDO_ATTEMPTS = 20;

interface LateRelease {
  user: string;
  device: string;
  hold: DeviceRelease;
  attempts: number;
}

/** Records that connections ended. What Postgres could not take is tried again until it does. */
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

  /** The connection ended, or never came to be. */
  release(hold: DeviceRelease): void {
    this.#late.add({ user: hold.user, device: hold.device, hold, attempts: 0 });
  }

  /** Before a device is claimed anew: so that none of ours is recorded as ended that begins now. */
  settle(user: string, device: string): Promise<void> {
    return this.#late.settle(user, device);
  }

  /** Resolves when nothing is left; false when that took longer than `withinMs`. */
  idle(withinMs: number): Promise<boolean> {
    return this.#late.idle(withinMs);
  }

  stop(): void {
    this.#late.stop();
  }

  /** Under a newer claim that is given up as well, one that is to be undone is to be undone after it. */
  async #write(late: LateRelease): Promise<boolean> {
    const { isCovered } = await this.#releases.add(late.hold);
    late.attempts++;
    return !isCovered || late.attempts >= UNDO_ATTEMPTS;
  }
}
