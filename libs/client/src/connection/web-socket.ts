/** What the client needs of a WebSocket: that of browsers, of Node 22, and of `ws`. */
export interface WebSocketLike {
  readonly readyState: number;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
  addEventListener(type: 'error', listener: () => void): void;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  /** Of `ws`: ends at once what nobody answers any more. */
  terminate?(): void;
}

/** Its constructor. */
export type WebSocketClass = new (url: string, protocols: string[]) => WebSocketLike;
