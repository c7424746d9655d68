/** The part of a WebSocket that the client uses: those of browsers, Node 22 and `ws` fit. */
export interface WebSocketLike {
  readonly readyState: number;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
  addEventListener(type: 'error', listener: () => void): void;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  /** Only `ws` has this: ends the connection at once, without waiting for the other side. */
  terminate?(): void;
}

/** The constructor of a WebSocket. */
export type WebSocketClass = new (url: string, protocols: string[]) => WebSocketLike;
