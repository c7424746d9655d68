import type { CloseReason } from '@posthorn/protocol';

/** What a session needs of its socket. */
export interface Transport {
  /** False once the closing handshake has begun, on either side: what is sent then is written nowhere. */
  readonly isOpen: boolean;
  /** Writes one text frame. */
  send(text: string): void;
  /** Writes a protocol ping. */
  ping(): void;
  /** Unsent bytes of this connection. */
  readonly bufferedBytes: number;
  /** Higher than when it was asked for last where bytes have left since: it rises while the peer reads. */
  readonly progress: number;
  /**
   * Starts the closing handshake once what was sent before has left; the socket is torn down if that takes too long, or
   * if the peer does not finish it.
   */
  close(reason: CloseReason): void;
}
