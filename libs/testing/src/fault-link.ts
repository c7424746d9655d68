import type { Socket } from 'node:net';
import { FaultLane, type LaneHost } from './fault-lane';
import { bytesBeforeCut, type FaultMode } from './fault-mode';

/** What a proxy has done so far. */
export interface FaultCounts {
  /** Connections that reached the server behind the proxy. */
  connections: number;
  /** Connections that did not reach it, because of `reset` or because no server is set. */
  refused: number;
  /** Open connections that the proxy reset. */
  cut: number;
  passedBytes: number;
  /** Bytes that were lost in a black hole. */
  swallowedBytes: number;
  /** Bytes that waited because of a delay or a slow line. */
  heldBytes: number;
}

/** State that all connections of a proxy share. */
export interface LinkState {
  mode: FaultMode;
  readonly counts: FaultCounts;
}

/** One connection through a fault proxy. */
export class FaultLink implements LaneHost {
  readonly #sockets: readonly Socket[];
  readonly #lanes: readonly FaultLane[];
  readonly #state: LinkState;
  bytesLeft: number;

  /** @param upstream a socket that is connecting; `onOver` is called once both sides are closed */
  constructor(client: Socket, upstream: Socket, state: LinkState, onOver: () => void) {
    this.#state = state;
    this.bytesLeft = bytesBeforeCut(state.mode);
    this.#sockets = [client, upstream];
    this.#lanes = [
      new FaultLane(client, upstream, 'requests', this),
      new FaultLane(upstream, client, 'replies', this),
    ];
    let isConnected = false;
    upstream.once('connect', () => {
      isConnected = true;
      state.counts.connections += 1;
    });
    upstream.on('error', () => {
      if (!isConnected) state.counts.refused += 1; // an error is followed by close
    });
    let open = this.#sockets.length;
    for (const socket of this.#sockets) {
      socket.once('close', () => {
        open -= 1;
        if (open === 0) onOver();
      });
    }
  }

  get mode(): FaultMode {
    return this.#state.mode;
  }

  get counts(): FaultCounts {
    return this.#state.counts;
  }

  /** The mode has changed. */
  adapt(): void {
    this.bytesLeft = bytesBeforeCut(this.#state.mode);
    for (const lane of this.#lanes) lane.adapt();
  }

  /** Resets both sides. */
  cut(): void {
    if (this.#sockets.every((socket) => socket.destroyed)) return;
    this.#state.counts.cut += 1;
    for (const lane of this.#lanes) lane.stop();
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy();
  }

  /** Closes both sides. */
  destroy(): void {
    for (const lane of this.#lanes) lane.stop();
    for (const socket of this.#sockets) socket.destroy();
  }
}
