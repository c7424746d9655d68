import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { inherited, NODE_FLAGS, StopList, startProcess } from '@posthorn/stack';
import Redis from 'ioredis';
import type { DialectName } from '../driver/dialect';
import { FLOOR_SCHEMA } from '../peers/floor/schema';
import { HAND_MADE_RECEIPTS, HAND_MADE_SCHEMA } from '../peers/hand-made/schema';
import { SOCKET_IO_SCHEMA } from '../peers/socket-io/schema';
import { type BenchStores, query } from '../world/stores';
import { MemoryProbe, PROBE_ARGS } from './memory-probe';
import { createDatabase } from './own-database';
import { countWith, openReceiptCounter } from './receipt-counter';
import type { RunningSystem, SystemOptions, SystemProcess } from './running-system';

/** How one peer differs from another. */
interface Peer {
  folder: string;
  schema: string;
  /** SQL that counts recorded deliveries; null if the peer records none. */
  receipts: string | null;
}

const peers: Record<Exclude<DialectName, 'posthorn'>, Peer> = {
  'hand-made': { folder: 'hand-made', schema: HAND_MADE_SCHEMA, receipts: HAND_MADE_RECEIPTS },
  'socket.io': { folder: 'socket-io', schema: SOCKET_IO_SCHEMA, receipts: null },
  floor: { folder: 'floor', schema: FLOOR_SCHEMA, receipts: null },
};

/** The built peers, because they run as processes even when the bench runs from its sources. */
const BUILT = join(__dirname, '..', '..', 'dist', 'peers');
const START_BOUND_MS = 120_000;
const STOP_BOUND_MS = 5_000;
const LISTENING = /^listening on (\d+)$/;

/**
 * Starts one of the systems that Posthorn is compared with: an api process, a gateway process, and its own database.
 */
export async function startPeer(
  name: Exclude<DialectName, 'posthorn'>,
  stores: BenchStores,
  options: SystemOptions,
): Promise<RunningSystem> {
  const { folder, schema, receipts } = peers[name];
  const stops = new StopList();
  try {
    const database = await createDatabase(stores.databaseUrl, name);
    stops.add(() => database.drop());
    await query(database.url, schema);
    const counter = receipts === null ? null : await openReceiptCounter(database.url, receipts);
    stops.add(async () => counter?.end());
    stops.add(() => forgetKeys(stores.redisUrl));
    const secret = randomBytes(32).toString('hex');
    const start = async (role: SystemProcess['role']) => {
      const probe = new MemoryProbe();
      const child = await startProcess({
        name: `${name} (${role})`,
        command: process.execPath,
        args: [
          ...NODE_FLAGS,
          ...(options.tellsMemory === true ? PROBE_ARGS : []),
          join(BUILT, folder, `${role}.js`),
        ],
        env: {
          ...inherited(),
          NODE_ENV: 'production',
          DATABASE_URL: database.url,
          REDIS_URL: stores.redisUrl,
          AUTH_JWT_SECRET: secret,
        },
        orphanSignal: 'SIGKILL',
        onLine: probe.onLine,
      });
      stops.add(() => child.stop('SIGTERM', STOP_BOUND_MS));
      const line = await child.waitForLine((text) => LISTENING.test(text), START_BOUND_MS);
      const kill = (signal: NodeJS.Signals): void => child.kill(signal);
      const process_: SystemProcess = { role, pid: child.pid, kill, memory: () => probe.ask(kill) };
      return { process: process_, address: { host: '127.0.0.1', port: Number(LISTENING.exec(line)?.[1]) } };
    };
    const gateway = await start('gateway');
    const api = await start('api');
    return {
      name,
      target: { dialect: name, secret, apis: [api.address], gateways: [gateway.address] },
      databaseUrl: database.url,
      redisUrl: stores.redisUrl,
      processes: [api.process, gateway.process],
      countReceipts: () => (counter === null ? Promise.resolve(null) : countWith(counter)),
      stop: () => stops.stopAll(),
    };
  } catch (error) {
    await stops.stopAll();
    throw error;
  }
}

/** The peers use the same key names, so none may be left for the next peer. */
async function forgetKeys(redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl);
  try {
    for (const pattern of ['presence:*', 'offline:*']) {
      const keys = await redis.keys(pattern);
      for (let from = 0; from < keys.length; from += 1_000) await redis.del(keys.slice(from, from + 1_000));
    }
  } finally {
    redis.disconnect();
  }
}
