import {
  type CursorMove,
  type CursorMoved,
  deviceLock,
  GroupCommit,
  type InboxDatabase,
  moveCursors,
} from '@posthorn/inbox';
import type { ReceiptTeller } from '../receipts/receipt-news';

export type AckMoves = GroupCommit<CursorMove, CursorMoved>;

/** Half of what a statement for a few costs is the statement: a busy gateway commits what 10 ms bring together. */
const PACE_MS = 10;

/** Commits moves of cursors, those of all sessions in one statement, and tells senders what was delivered. */
export function createAckMoves(db: InboxDatabase, teller: ReceiptTeller): AckMoves {
  return new GroupCommit({
    name: 'acknowledgements',
    maxBatch: 500,
    maxPending: 100_000,
    paceMs: PACE_MS,
    commit: async (moves, lockWaitMs) => {
      const results = await moveCursors(db, moves, lockWaitMs);
      teller.tell(results.flatMap(({ news }) => news));
      return results;
    },
    locksOf: (move) => [deviceLock(move)],
  });
}
