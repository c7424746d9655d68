/**
 * How the client is doing.
 * - `waiting`: another tab uses the store; this one takes its place when it is closed.
 * - `connecting`: on the first way to a gateway, or on the way back.
 * - `online`: connected; messages come as they are sent.
 * - `polling`: no WebSocket comes up, but the inbox can be read over HTTP, every few seconds.
 * - `offline`: not connected; tried again at `retryAtMs`.
 * - `stopped`: not connected, and not tried again until `resume()`: `code` is the close code that said so, or 0.
 * - `closed`: by `close()`.
 */
export type Status =
  | { state: 'waiting' | 'connecting' | 'online' | 'closed' }
  | { state: 'polling' }
  | { state: 'offline'; why: string; retryAtMs: number }
  | { state: 'stopped'; code: number; why: string };
