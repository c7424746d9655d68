import { Client } from './client.ts';
import type { WebSocketClass } from './connection/web-socket.ts';
import { type ClientOptions, readOptions } from './options.ts';

export * from './exports.ts';
export { fileStore } from './stores/file-store.ts';

/**
 * Connects a device of a user, and keeps it connected until `close()`. Uses the global WebSocket of Node 22, or `ws`
 * if there is none.
 * @throws TypeError for wrong options
 */
export function connect(options: ClientOptions): Client {
  return new Client(readOptions(options), async () => options.WebSocket ?? (await findWebSocket()));
}

async function findWebSocket(): Promise<WebSocketClass> {
  if (typeof WebSocket !== 'undefined') return WebSocket;
  try {
    return (await import('ws')).WebSocket;
  } catch (cause) {
    throw new Error('Node 20 has no WebSocket: install ws 8, or pass the option WebSocket', { cause });
  }
}
