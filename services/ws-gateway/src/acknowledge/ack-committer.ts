import type { CursorMove } from '@posthorn/inbox';
import type { Logger } from '@posthorn/runtime';
import type { GatewayMetrics } from '../metrics';
import type { DeliveryTraces } from '../session/delivery-traces';
import type { Session } from '../session/session';
import { isUnavailable } from '../unavailable';
import type { AckMoves } from './ack-moves';
import type { LateAcks } from './late-acks';
import type { ListTrimmer } from './list-trimmer';

/** What committing acknowledgements needs. */
export interface AckCommitterOptions {
  moves: AckMoves;
  late: LateAcks;
  trimmer: ListTrimmer;
  metrics: GatewayMetrics;
  traces: DeliveryTraces | null;
  log: Logger;
  /** Postgres refused an acknowledgement: the session no longer holds its device. */
  onRefused(): void;
}

/**
 * Commits the acknowledgements of open connections. Each session has one move under way; later acknowledgements go with
 * the next move. `ok` follows the commit.
 */
export class AckCommitter {
  readonly #options: AckCommitterOptions;
  readonly #busy = new Set<Session>();

  constructor(options: AckCommitterOptions) {
    this.#options = options;
  }

  /** Commits what the session acknowledged, now or after the move that is under way. */
  commit(session: Session): void {
    if (session.state === 'closed' || this.#busy.has(session)) return;
    const move = wantedMove(session);
    if (move === null) return;
    this.#busy.add(session);
    void this.#move(session, move);
  }

  /** The connection ended and cannot ask again, so its acknowledgements are committed without it. */
  leave(session: Session): void {
    const move = wantedMove(session);
    if (move !== null) this.#options.late.add(move);
  }

  async #move(session: Session, move: CursorMove): Promise<void> {
    const { moves, log } = this.#options;
    let mayGoOn = false;
    try {
      const { isHolder, cursor } = await moves.add(move);
      mayGoOn = isHolder;
      if (isHolder) this.#succeed(session, cursor);
      else this.#refuse();
    } catch (error) {
      const { user, device } = move;
      if (!isUnavailable(error))
        log.error('an acknowledgement could not be committed', { user, device, error });
      this.#fail(session);
    } finally {
      this.#busy.delete(session);
    }
    if (mayGoOn) this.commit(session);
  }

  /** The cursor may have moved only part of the way. The rest goes with the next move. */
  #succeed(session: Session, cursor: number): void {
    const { metrics, trimmer, traces } = this.#options;
    traces?.acknowledged(session, cursor);
    session.ackCommitted = Math.max(session.ackCommitted, cursor);
    metrics.acks.inc({ outcome: 'committed' });
    trimmer.mark(session.user);
    while (session.ackRefs[0] !== undefined && session.ackRefs[0].seq <= cursor)
      session.ok(session.ackRefs.shift()?.ref);
  }

  /**
   * A newer connection holds the device, or the inboxes were restored. Reconcile finds out which, and ends this
   * session. If the newer connection was never opened, this session stays, and its acknowledgement is tried again.
   */
  #refuse(): void {
    this.#options.metrics.acks.inc({ outcome: 'refused' });
    this.#options.onRefused();
  }

  /** `ackWanted` stays as it is, so the next acknowledgement or reconcile tries again. */
  #fail(session: Session): void {
    this.#options.metrics.acks.inc({ outcome: 'unavailable' });
    for (const { ref } of session.ackRefs.splice(0))
      session.fail('unavailable', 'the acknowledgement was not committed', ref);
  }
}

/** The move for what the session acknowledged and is not committed; null if there is nothing to commit. */
function wantedMove(session: Session): CursorMove | null {
  const { user, device, fence, epoch, ackWanted: seq, ackCommitted } = session;
  return fence === null || epoch === null || seq <= ackCommitted ? null : { user, device, fence, epoch, seq };
}
