/**
 * The state of the client.
 * - `waiting`: another tab uses the store. This tab takes over when that one is closed.
 * - `connecting`: opening a connection, the first or a later one.
 * - `online`: connected; messages come as they are sent.
 * - `polling`: no WebSocket can be opened, but the inbox is read over HTTP every few seconds.
 * - `offline`: not connected. The next attempt is at `retryAtMs`.
 * - `stopped`: not connected, and no attempt until `resume()`. `code` is the close code that caused it, or 0.
 * - `closed`: by `close()`.
 */
export type Status =
  | { state: 'waiting' | 'connecting' | 'online' | 'closed' }
  | { state: 'polling' }
  | { state: 'offline'; why: string; retryAtMs: number }
  | { state: 'stopped'; code: number; why: string };
