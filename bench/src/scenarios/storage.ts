import { query } from '../world/stores';
import { connectAll, DEVICES, ONE_TO_ONE, receiptsOf } from './load';
import type { Scenario } from './scenario';
import { withTrial } from './trial';

/** Enough messages that the space which Postgres reserves for growing tables hardly counts. */
const MESSAGES = 40_000;
const WARM_UP = 4_000;
const BOUND_MS = 120_000;

/** The disk space of a message in Postgres. */
export const storage: Scenario = {
  name: 'storage',
  what: 'the bytes that 40,000 delivered messages of 256 bytes, to one recipient each, add to the tables and to the write-ahead log',
  group: 'comparison',
  systems: ['posthorn'],
  figures: ['tableBytes', 'walBytes'],
  run: (stores, name, rest) =>
    withTrial(name, stores, {}, rest, async (trial) => {
      const { driver, system } = trial;
      await connectAll(trial, DEVICES);
      const send = async (maxMessages: number) => {
        const already = await system.countReceipts();
        const { account } = await driver.call('send', { ...ONE_TO_ONE, maxMessages, ms: BOUND_MS });
        await receiptsOf(system, already, account.due);
        return account;
      };
      await send(WARM_UP);
      const before = await diskBytesOf(system.databaseUrl);
      const account = await send(MESSAGES);
      const after = await diskBytesOf(system.databaseUrl);
      const each = (key: 'tables' | 'wal'): number =>
        (after[key] - before[key]) / Math.max(1, account.accepted);
      return [
        {
          figures: { tableBytes: each('tables'), walBytes: each('wal') },
          cpu: null,
          account,
          receipts: null,
        },
      ];
    }),
};

interface DiskBytes {
  tables: number;
  wal: number;
}

async function diskBytesOf(databaseUrl: string): Promise<DiskBytes> {
  const [sizes] = await query<DiskBytes>(
    databaseUrl,
    `SELECT (SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables)::float8 AS tables,
       (pg_current_wal_lsn() - '0/0')::float8 AS wal`,
  );
  if (sizes === undefined) throw new Error('Postgres told no sizes');
  return sizes;
}
