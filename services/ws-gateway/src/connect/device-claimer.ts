import {
  type ClaimedDevice,
  claimDevices,
  commitAroundLocks,
  type DeviceClaim,
  deviceLock,
  GroupCommit,
  type InboxDatabase,
  LOCK_WAITS,
  OverloadedError,
} from '@posthorn/inbox';

/** A connect that wants its device. */
export interface ClaimRequest {
  readonly claim: DeviceClaim;
  /** The connect, which may be over while it waits. */
  readonly connect: { readonly isOver: boolean };
}

/** One connect is claimed at once. Of many that come together, what 8 ms bring costs Postgres a quarter as much each. */
const PACE_MS = 8;

/** Claims devices, those of many connects in one statement. */
export class DeviceClaimer {
  readonly #claims: GroupCommit<ClaimRequest, ClaimedDevice>;
  /** Each answer brings a string of its own; all sessions keep this one. */
  #epoch = '';

  /**
   * @param maxPending connects that wait at most; beyond it they are refused
   * @param maxLockedMs how long one waits for a locked device
   */
  constructor(db: InboxDatabase, maxPending: number, maxLockedMs = LOCK_WAITS.laneMs) {
    const statement = {
      commit: (requests: readonly ClaimRequest[], lockWaitMs: number) =>
        claimDevices(
          db,
          requests.map(({ claim }) => claim),
          lockWaitMs,
        ),
      locksOf: ({ claim }: ClaimRequest) => [deviceLock(claim)],
    };
    this.#claims = new GroupCommit({
      name: 'claims',
      maxBatch: 200,
      maxPending,
      paceMs: PACE_MS,
      commitBatch: (requests, lock) =>
        inRounds(requests, (round) => commitAroundLocks(round, lock, statement)),
      locksOf: statement.locksOf,
      expired,
      waits: { ...LOCK_WAITS, laneMs: maxLockedMs },
    });
  }

  /**
   * Claims the device of a connect.
   *
   * @throws OutageError when Postgres is out of reach, or the device stays locked
   * @throws OverloadedError when too many wait, or the connect is over
   */
  async claim(request: ClaimRequest): Promise<ClaimedDevice> {
    const claimed = await this.#claims.add(request);
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
