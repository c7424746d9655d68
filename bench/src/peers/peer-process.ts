import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The settings of a peer. */
export interface PeerSettings {
  databaseUrl: string;
  redisUrl: string;
  secret: Uint8Array;
}

/** The address on which a peer's processes listen. */
const HOST = '127.0.0.1';

/** Reads the settings of a peer from its environment. */
export function peerSettings(env: Readonly<Record<string, string | undefined>>): PeerSettings {
  const read = (name: string): string => {
    const value = env[name];
    if (value === undefined) throw new Error(`${name} is not set: peers are started by pnpm bench`);
    return value;
  };
  return {
    databaseUrl: read('DATABASE_URL'),
    redisUrl: read('REDIS_URL'),
    secret: new TextEncoder().encode(read('AUTH_JWT_SECRET')),
  };
}

/** Listens on any free port and prints it on stdout, as the bench expects. SIGTERM ends the process. */
export function listen(server: Server): void {
  server.keepAliveTimeout = 60_000;
  server.listen(0, HOST, 4_096, () => {
    process.stdout.write(`listening on ${(server.address() as AddressInfo).port}\n`);
  });
  process.once('SIGTERM', () => process.exit(0));
}
