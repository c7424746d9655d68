import { createServer } from 'node:net';

const HOST = '127.0.0.1';

/** The first preferred port that is free, otherwise any free port of 127.0.0.1. */
export async function freePort(preferred: readonly number[] = []): Promise<number> {
  for (const port of preferred) {
    const free = await tryListen(port);
    if (free !== undefined) return free;
  }
  const port = await tryListen(0);
  if (port === undefined) throw new Error(`No port of ${HOST} is free.`);
  return port;
}

/** The port, if it is free; 0 takes any. */
function tryListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    // No host: a service that listens on all addresses needs the port to be free on all of them.
    server.listen(port, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
