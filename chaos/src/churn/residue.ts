import { openRedisClient, type Stack } from '@posthorn/stack';

import { Client } from 'pg';
import type { Inspector } from './inspector';

/** Leases and their index. Their number is that of the gateways. */
const OF_GATEWAYS = /^gateway(?::|s$)/;

/** What one gateway holds, after a full garbage collection. */
export interface Held {
  connections: number;
  bufferedBytes: number;
  inFlight: number;
  fullWindows: number;
  /** Sessions that are still referenced. */
  sessions: number;
  sockets: number;
  timers: number;
  openFiles: number;
  rssMiB: number;
  heapMiB: number;
}

/** What the stores hold about connections. */
export interface Stored {
  presenceFields: number;
  /** Keys that are neither a gateway's lease nor a user's send budget. */
  keys: number;
  heldDevices: number;
  postgresConnections: number;
}

/** Reads what a gateway holds. The inspector's own connection always counts as one socket. */
export async function readHeld(gateway: Stack['wsGateways'][number], inspector: Inspector): Promise<Held> {
  const sessions = await inspector.countInstances(
    "process.mainModule.require('./session').Session.prototype",
  );
  await inspector.collectGarbage();
  const resources = await inspector.evaluate('process.getActiveResourcesInfo()');
  const kinds = Array.isArray(resources) ? resources : [];
  const memory = await inspector.evaluate('(({ rss, heapUsed }) => [rss, heapUsed])(process.memoryUsage())');
  const [rss, heap] = Array.isArray(memory) ? memory.map(Number) : [];
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  return {
    connections: metric(metrics, 'posthorn_connections'),
    bufferedBytes: metric(metrics, 'posthorn_buffered_bytes'),
    inFlight: metric(metrics, 'posthorn_in_flight_messages'),
    fullWindows: metric(metrics, 'posthorn_full_windows'),
    sessions,
    sockets: kinds.filter((kind) => kind === 'TCPSocketWrap').length,
    timers: kinds.filter((kind) => kind === 'Timeout').length,
    openFiles: metric(metrics, 'process_open_fds'),
    rssMiB: (rss ?? 0) / 2 ** 20,
    heapMiB: (heap ?? 0) / 2 ** 20,
  };
}

/** Reads what the stores hold. */
export async function readStored({ databaseUrl, redisUrl }: Stack, prefix: string): Promise<Stored> {
  const redis = openRedisClient(redisUrl);
  const client = new Client({ connectionString: databaseUrl });
  try {
    await client.connect();
    const { rows } = await client.query<{ held: number; connections: number }>(
      `SELECT (SELECT count(*)::int FROM device WHERE gateway IS NOT NULL) AS held,
              (SELECT count(*)::int FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'posthorn') AS connections`,
    );
    const keys = await redis.keys(`${prefix}*`);
    const kept = keys.filter((key) => !OF_GATEWAYS.test(key.slice(prefix.length)) && !key.endsWith(':sends'));
    const fields = await Promise.all(
      kept.filter((key) => key.endsWith(':presence')).map((key) => redis.hlen(key)),
    );
    return {
      presenceFields: fields.reduce((sum, count) => sum + count, 0),
      keys: kept.length,
      heldDevices: rows[0]?.held ?? -1,
      postgresConnections: rows[0]?.connections ?? -1,
    };
  } finally {
    redis.disconnect();
    await client.end();
  }
}

/** The sum of a metric over its labels. */
function metric(text: string, name: string): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    if (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) sum += Number(line.split(' ').at(-1));
  }
  return sum;
}
