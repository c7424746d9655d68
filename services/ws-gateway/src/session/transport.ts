import type { CloseReason } from '@posthorn/protocol';

/** What a session needs from its socket. */
export interface Transport {
  /** False once either side has begun to close. What is sent after that is dropped. */
  readonly isOpen: boolean;
  /** Writes one text frame. */
  send(text: string): void;
  /** Writes a protocol ping. */
  ping(): void;
  /** Unsent bytes of this connection. */
  readonly bufferedBytes: number;
  /** Rises while the peer reads: it is higher than at the previous call if bytes have left since. */
  readonly progress: number;
  /**
   * Starts the closing handshake once earlier data has been written. Cuts the socket if that takes too long, or if the
   * peer does not finish the handshake (PROTOCOL §5.7).
   */
  close(reason: CloseReason): void;
}
