import type { CursorMove } from '@posthorn/inbox';
import type { Logger } from '@posthorn/runtime';
import type { GatewayMetrics } from '../metrics';
import type { AckMoves } from './ack-moves';
import { LateWrites } from './late-writes';
import type { ListTrimmer } from './list-trimmer';

/** How many acknowledgements of ended connections may wait. Further ones are dropped: the entries are sent again. */
const MAX_WAITING = 100_000;

/** Commits the acknowledgements that were not committed yet when their connection ended. */
export class LateAcks {
  readonly #moves: AckMoves;
  readonly #trimmer: ListTrimmer;
  readonly #metrics: GatewayMetrics;
  readonly #late: LateWrites<CursorMove>;

  constructor(moves: AckMoves, trimmer: ListTrimmer, metrics: GatewayMetrics, log: Logger) {
    this.#moves = moves;
    this.#trimmer = trimmer;
    this.#metrics = metrics;
    this.#late = new LateWrites<CursorMove>({
      write: (move) => this.#commit(move),
      onError: ({ user, device }, error) =>
        log.error('an acknowledgement could not be committed', { user, device, error }),
      max: MAX_WAITING,
    });
  }

  add(move: CursorMove): void {
    this.#late.add(move);
  }

  /**
   * Tries the acknowledgements of this device once more. Call it before the device is claimed again: after the claim,
   * Postgres refuses the older fencing token.
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

  /** Moves the cursor all the way, in as many statements as needed. Stops if a newer connection holds the device. */
  async #commit(move: CursorMove): Promise<boolean> {
    for (let cursor = 0; cursor < move.seq; ) {
      const moved = await this.#moves.add(move);
      this.#metrics.acks.inc({ outcome: moved.isHolder ? 'committed' : 'refused' });
      if (!moved.isHolder) return true;
      cursor = moved.cursor;
      this.#trimmer.mark(move.user);
    }
    return true;
  }
}
