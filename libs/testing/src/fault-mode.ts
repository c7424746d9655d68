/** What a fault proxy does with the bytes of each direction. */
export type FaultMode =
  | 'pass'
  /** Nothing passes and connections stay open, as if the cable were cut. Connections that lost bytes stay silent. */
  | 'blackhole'
  /** Requests are lost and replies pass: one side of a half-open connection. */
  | 'drop-requests'
  /** Requests pass and replies are lost, so outcomes are unknown. */
  | 'drop-replies'
  /** Connections are reset, also new ones. */
  | 'reset'
  /** Bytes arrive in order but late: by `delayMs`, plus or minus up to `jitterMs`. */
  | { delayMs: number; jitterMs: number }
  /** A slow line: this many bytes per second, in each direction of each connection. */
  | { bytesPerSecond: number }
  /** Each connection is reset after this many bytes from now, usually in the middle of something. */
  | { cutAfterBytes: number };

/** The direction of bytes: requests go from the client to the server behind the proxy, and replies come back. */
export type Direction = 'requests' | 'replies';

/** Whether bytes in this direction are lost. */
export function isHole(mode: FaultMode, direction: Direction): boolean {
  return mode === 'blackhole' || mode === (direction === 'requests' ? 'drop-requests' : 'drop-replies');
}

/** How many bytes pass before a connection is cut. */
export function bytesBeforeCut(mode: FaultMode): number {
  return typeof mode === 'object' && 'cutAfterBytes' in mode ? mode.cutAfterBytes : Number.POSITIVE_INFINITY;
}
