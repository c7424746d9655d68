import { type CursorMove, type CursorMoved, type InboxDatabase, moveCursors } from '@posthorn/inbox';
import { Batcher } from '@posthorn/runtime';
import type { ReceiptTeller } from './receipt-news';

/** Moves of cursors, those of all sessions in one statement. */
export type AckMoves = Batcher<CursorMove, CursorMoved>;

/** What is delivered by a move is told to its senders. */
export function createAckMoves(db: InboxDatabase, teller: ReceiptTeller): AckMoves {
  return new Batcher({
    name: 'acknowledgements',
    maxBatch: 500,
    maxPending: 100_000,
    concurrency: 2,
    run: async (moves) => {
      const results = await moveCursors(db, moves);
      teller.tell(results.flatMap((result) => result.news));
      return results;
    },
  });
}
