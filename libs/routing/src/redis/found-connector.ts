import { createConnection } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { RedisHost } from '@posthorn/protocol';
import { AbstractConnector, type RedisOptions } from 'ioredis';

/** A connector that calls `find` at each connect, to learn where to connect. It rejects when `find` does. */
export function foundConnector(
  find: () => Promise<RedisHost>,
  isTls: boolean,
  disconnectTimeoutMs: number,
): NonNullable<RedisOptions['Connector']> {
  return class extends AbstractConnector {
    constructor() {
      super(disconnectTimeoutMs);
    }

    override async connect(): Promise<typeof this.stream> {
      this.connecting = true;
      const { host, port } = await find();
      // The connect was given up while `find` ran. Nobody would close a socket that opens now.
      if (!this.connecting) throw new Error('Connection is closed.');
      this.stream = isTls ? connectTls({ host, port }) : createConnection({ host, port });
      this.stream.once('error', (error) => {
        this.firstError = error;
      });
      return this.stream;
    }
  };
}
