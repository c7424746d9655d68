import {
  type ClaimedDevice,
  claimDevices,
  commitAroundLocks,
  type DeviceClaim,
  deviceLock,
  type InboxDatabase,
  LOCK_WAITS,
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
/** One connect is claimed at once. Of many that come together, what 8 ms bring costs Postgres a quarter as much each. */
const PACE_MS = 8;

/** Claims devices, those of many connects in one statement. Whose device is locked waits apart from the others. */
export class DeviceClaimer {
  readonly #claims: Batcher<ClaimRequest, ClaimedDevice>;
  readonly #locked: LockedLane<ClaimRequest, ClaimedDevice>;
  /** Each answer brings a string of its own; all sessions keep this one. */
  #epoch = '';

  /**
   * @param maxPending connects that wait at most; beyond it they are refused
   * @param maxLockedMs how long one waits for a locked device
   */
  constructor(db: InboxDatabase, maxPending: number, maxLockedMs = LOCK_WAITS.laneMs) {
    const locksOf = ({ claim }: ClaimRequest): string[] => [deviceLock(claim)];
    const claimRound = (round: readonly ClaimRequest[], lock: string | null) =>
      commitAroundLocks(round, lock, {
        commit: (some, lockWaitMs) =>
          claimDevices(
            db,
            some.map(({ claim }) => claim),
            lockWaitMs,
          ),
        locksOf,
      });
    const run = (requests: readonly ClaimRequest[], lock: string | null) =>
      inRounds(requests, (round) => claimRound(round, lock));
    this.#claims = new Batcher({
      name: 'claims',
      maxBatch: 200,
      maxPending,
      concurrency: 2,
      paceMs: PACE_MS,
      run: (requests) => run(requests, null),
      expired,
    });
    this.#locked = new LockedLane({
      run,
      locksOf,
      maxWaiting: MAX_WAITING_LOCKED,
      maxWaitMs: maxLockedMs,
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
    const claimed = await this.#locked.around(request, (item) => this.#claims.submit(item));
    if (claimed.epoch !== this.#epoch) this.#epoch = claimed.epoch;
    return { ...claimed, epoch: this.#epoch };
  }
}

/** A claim for a client that has its 503 would only end the device's living connection. */
function expired({ connect }: ClaimRequest): Error | null {
  return connect.isOver ? new OverloadedError('the connect was given up') : null;
}

type Claimed = ClaimedDevice | Error;

/**
 * Of several claims of one device each comes after the one before, in a statement of its own: the later connection is
 * the newer one. Where one has to wait, or fails, so do those behind it.
 */
async function inRounds(
  requests: readonly ClaimRequest[],
  claimRound: (round: readonly ClaimRequest[]) => Promise<readonly Claimed[]>,
): Promise<Claimed[]> {
  const outcomes = new Map<ClaimRequest, Claimed>();
  let waiting = requests;
  while (waiting.length > 0) {
    const round = new Map<string, ClaimRequest>();
    for (const request of waiting) {
      const name = deviceLock(request.claim);
      if (!round.has(name)) round.set(name, request);
    }
    const members = [...round.values()];
    const claimed = await claimRound(members);
    for (const [index, member] of members.entries())
      outcomes.set(member, claimed[index] ?? new Error('a claim without an outcome'));
    waiting = waiting.filter((request) => {
      if (outcomes.has(request)) return false;
      const before = round.get(deviceLock(request.claim));
      const outcome = before && outcomes.get(before);
      if (outcome instanceof Error) outcomes.set(request, outcome);
      return !(outcome instanceof Error);
    });
  }
  return requests.map((request) => outcomes.get(request) ?? new Error('a claim without an outcome'));
}
