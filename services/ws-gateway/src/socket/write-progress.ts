import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Whether what was written to a socket leaves. A stream counts one write as a whole, however large, when its last byte
 * has left; a slow reader may take minutes for that. So what is left of the write under way is looked at, as the
 * timeout of Node's own sockets does.
 */
export class WriteProgress {
  readonly #socket: Duplex;
  #steps = 0;
  #written = 0;
  #queued = 0;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** A number that is higher than at the call before where bytes have left since. */
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

/** What the kernel has not taken yet of the write under way. */
function queuedBytes(socket: Duplex): number {
  if (!('_handle' in socket)) return 0;
  const handle = socket._handle;
  if (typeof handle !== 'object' || handle === null || !('writeQueueSize' in handle)) return 0;
  return typeof handle.writeQueueSize === 'number' ? handle.writeQueueSize : 0;
}
