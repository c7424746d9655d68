import { Client } from './client.ts';
import { type ClientOptions, readOptions } from './options.ts';

export * from './exports.ts';

/**
 * Connects a device of a user, and keeps it connected until `close()`.
 * @throws TypeError for wrong options
 */
export function connect(options: ClientOptions): Client {
  return new Client(readOptions(options), async () => options.WebSocket ?? WebSocket);
}
