import {
  type ClaimedDevice,
  claimDevices,
  commitAroundLocks,
  type DeviceClaim,
  deviceLock,
  type InboxDatabase,
  LockedLane,
} from '@posthorn/inbox';
import { Batcher, OverloadedError } from '@posthorn/runtime';

/** A connect that wants its device. */
export interface ClaimRequest {
  readonly claim: DeviceClaim;
  /** The connect, which may be over while it waits. */
  readonly connect: { readonly isOver: boolean };
}

const MAX_WAITING_LOCKED = 1_000;

/** Claims devices, those of many connects in one statement. Whose device is locked waits apart from the others. */
export class DeviceClaimer {
  readonly #claims: Batcher<ClaimRequest, ClaimedDevice>;
  readonly #locked: LockedLane<ClaimRequest, ClaimedDevice>;

  /** @param maxPending connects that wait at most; beyond it they are refused */
  constructor(db: InboxDatabase, maxPending: number) {
    const locksOf = ({ claim }: ClaimRequest): string[] => [deviceLock(claim)];
    const run = (requests: readonly ClaimRequest[], lock: string | null) =>
      commitAroundLocks(requests, lock, {
        commit: (some, lockWaitMs) =>
          claimDevices(
            db,
            some.map(({ claim }) => claim),
            lockWaitMs,
          ),
        locksOf,
      });
    this.#claims = new Batcher({
      name: 'claims',
      maxBatch: 200,
      maxPending,
      concurrency: 2,
      run: (requests) => run(requests, null),
      expired,
    });
    this.#locked = new LockedLane({
      run,
      locksOf,
      maxWaiting: MAX_WAITING_LOCKED,
      concurrency: 1,
      expired,
    });
  }

  /**
   * Claims the device of a connect.
   *
   * @throws OutageError when Postgres is out of reach, or the device stays locked
   * @throws OverloadedError when too many wait, or the connect is over
   */
  async claim(request: ClaimRequest): Promise<ClaimedDevice> {
    return await this.#locked.around(request, (item) => this.#claims.submit(item));
  }
}

/** A claim for a client that has its 503 would only end the device's living connection. */
function expired({ connect }: ClaimRequest): Error | null {
  return connect.isOver ? new OverloadedError('the connect was given up') : null;
}
