import { randomBytes } from 'node:crypto';
import { migrateDatabase, type ServiceName, StopList, startService } from '@posthorn/stack';
import type { BenchStores } from '../world/stores';
import { MemoryProbe, PROBE_ARGS } from './memory-probe';
import { createDatabase } from './own-database';
import { countWith, openReceiptCounter } from './receipt-counter';
import type { RunningSystem, SystemOptions, SystemProcess } from './running-system';
import { traceSettings } from './trace-settings';

const RECEIPTS = 'SELECT count(*)::int AS count FROM receipt';

/** Posthorn as in production: real processes, default settings, its own database and prefix. */
export async function startPosthorn(stores: BenchStores, options: SystemOptions): Promise<RunningSystem> {
  const stops = new StopList();
  try {
    const database = await createDatabase(stores.databaseUrl, 'posthorn');
    stops.add(() => database.drop());
    await migrateDatabase(database.url);
    const counter = await openReceiptCounter(database.url, RECEIPTS);
    stops.add(() => counter.end());
    const secret = randomBytes(32).toString('hex');
    const env = {
      DATABASE_URL: database.url,
      REDIS_URL: stores.redisUrl,
      REDIS_PREFIX: `bench-${randomBytes(4).toString('hex')}:`,
      AUTH_JWT_SECRET: secret,
      DRAIN_MS: '100',
      WORKERS: String(options.workers ?? 1),
      ...traceSettings(process.env),
      ...options.env,
    };
    const start = async (name: ServiceName) => {
      const probe = new MemoryProbe();
      const execArgv = [
        ...(options.tellsMemory === true ? PROBE_ARGS : []),
        ...(options.profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profileDir}`]),
      ];
      const service = await startService(name, env, { execArgv, onLine: probe.onLine });
      stops.add(async () => service.stop());
      const kill = (signal: NodeJS.Signals): void => service.kill(signal);
      const role = name === 'send-api' ? ('api' as const) : ('gateway' as const);
      const process: SystemProcess = { role, pid: service.pid, kill, memory: () => probe.ask(kill) };
      return { process, address: { host: '127.0.0.1', port: Number(new URL(service.url).port) } };
    };
    const gateways = await Promise.all(
      Array.from({ length: options.gateways ?? 1 }, () => start('ws-gateway')),
    );
    const api = await start('send-api');
    return {
      name: 'posthorn',
      target: {
        dialect: 'posthorn',
        secret,
        apis: [api.address],
        gateways: gateways.map(({ address }) => address),
      },
      databaseUrl: database.url,
      redisUrl: stores.redisUrl,
      processes: [api.process, ...gateways.map(({ process }) => process)],
      countReceipts: () => countWith(counter),
      stop: () => stops.stopAll(),
    };
  } catch (error) {
    await stops.stopAll();
    throw error;
  }
}
