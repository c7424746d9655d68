/** What a fault proxy does with the bytes of each direction. */
export type FaultMode =
  | 'pass'
  /** Nothing gets through, connections stay: as if the cable were cut. Those that lost something stay silent. */
  | 'blackhole'
  /** Requests get lost, replies get through: the other side of a half-open connection. */
  | 'drop-requests'
  /** Requests get through, replies do not: outcomes become unknown. */
  | 'drop-replies'
  /** Connections are reset, new ones too. */
  | 'reset'
  /** Bytes come later, by `delayMs` and up to `jitterMs` more or less, in order. */
  | { delayMs: number; jitterMs: number }
  /** A narrow line: so many bytes a second in each direction of each connection. */
  | { bytesPerSecond: number }
  /** Each connection is reset when so many bytes have passed it from now on, mostly in the middle of something. */
  | { cutAfterBytes: number };

/** Which way the bytes go: requests from the client to what is behind the proxy, replies back. */
export type Direction = 'requests' | 'replies';

/** True where bytes that go this way are lost. */
export function isHole(mode: FaultMode, direction: Direction): boolean {
  return mode === 'blackhole' || mode === (direction === 'requests' ? 'drop-requests' : 'drop-replies');
}

/** How many bytes of a connection pass before it is cut. */
export function bytesBeforeCut(mode: FaultMode): number {
  return typeof mode === 'object' && 'cutAfterBytes' in mode ? mode.cutAfterBytes : Number.POSITIVE_INFINITY;
}
