import { parseRedisUrl } from '@posthorn/protocol';
import { Cluster, Redis } from 'ioredis';

/** A client to inspect a Redis with. */
export type RedisClient = Redis | Cluster;

/** Opens a client for any REDIS_URL. It retries for ever and reports no errors. */
export function openRedisClient(url: string): RedisClient {
  const { kind, hosts, master, db, tls, username, password } = parseRedisUrl(url);
  const options = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
  const client =
    kind === 'cluster'
      ? new Cluster([...hosts], { redisOptions: options })
      : new Redis({
          ...options,
          ...(kind === 'sentinel' ? { sentinels: [...hosts], name: master } : hosts[0]),
          db,
        });
  client.on('error', () => undefined);
  return client;
}
