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
  /** Bytes that have left so far; rises while the peer reads. */
  readonly progress: number;
  /** Starts the closing handshake; the socket is torn down if the peer does not finish it. */
  close(reason: CloseReason): void;
}
