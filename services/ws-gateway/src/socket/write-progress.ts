import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Measures whether written data leaves a socket. A stream counts a write only when its last byte has left, and a slow
 * reader may take minutes for a large write. So this also measures the rest of the current write, as Node does for the
 * timeout of its own sockets.
 */
export class WriteProgress {
  readonly #socket: Duplex;
  #steps = 0;
  #written = 0;
  #queued = 0;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Returns a number. It is higher than at the previous call if bytes have left since. */
  measure(): number {
    const socket = this.#socket;
    const written = socket instanceof Socket ? socket.bytesWritten - socket.writableLength : 0;
    const queued = queuedBytes(socket);
    if (written > this.#written || queued < this.#queued) this.#steps++;
    this.#written = written;
    this.#queued = queued;
    return this.#steps;
  }
}

/** Bytes of the current write that the kernel has not taken yet. */
function queuedBytes(socket: Duplex): number {
  if (!('_handle' in socket)) return 0;
  const handle = socket._handle;
  if (typeof handle !== 'object' || handle === null || !('writeQueueSize' in handle)) return 0;
  return typeof handle.writeQueueSize === 'number' ? handle.writeQueueSize : 0;
}
