import type { CursorMove } from '@posthorn/inbox';
import type { Logger } from '@posthorn/runtime';
import type { GatewayMetrics } from '../metrics';
import type { AckMoves } from './ack-moves';
import { LateWrites } from './late-writes';
import type { ListTrimmer } from './list-trimmer';

/** Acknowledgements of ended connections that are not committed yet; beyond it the entries are sent again. */
const MAX_WAITING = 100_000;

/** Commits what connections acknowledged and had not seen committed when they ended. */
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

  /** Before a device is claimed anew: under the newer fencing token the older acknowledgement would be refused. */
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

  /** All the way, however many statements that takes. A newer connection of the device makes it needless. */
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
