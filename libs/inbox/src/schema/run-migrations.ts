import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { findPostgresUrlFault, findSecret, POSTGRES_URL_EXAMPLE } from '@posthorn/protocol';
import type { DataSource } from 'typeorm';
import { EpochEntity } from './entities/epoch.entity';
import { createDataSource } from './schema';

// Any number will do that nothing else in the database uses as an advisory lock.
const MIGRATION_LOCK = 7_407_407;
/**
 * While a statement waits for a lock on a table, all later statements on that table wait behind it. So a migration that
 * does not get a lock within this time fails. It can be run again.
 */
const LOCK_TIMEOUT_MS = 3_000;
const LOCK_NOT_AVAILABLE = '55P03';
const EX_USAGE = 64;
const EX_CONFIG = 78;

/** Where the command writes, and how long its statements wait for a lock. */
export interface MigrationOptions {
  readonly stdout: { write(text: string): void };
  readonly stderr: { write(text: string): void };
  readonly lockTimeoutMs?: number;
}

/**
 * `pnpm migrate [--new-epoch]`: brings the schema up to date. Several may run at once: an advisory lock lets one work,
 * and the others then find nothing to do.
 * @returns the exit code
 */
export async function runMigrations(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  options: MigrationOptions,
): Promise<number> {
  try {
    return await migrate(args, env, options);
  } catch (error) {
    const { stderr } = options;
    stderr.write(`migration failed: ${error instanceof Error ? error.message : String(error)}\n`);
    if (error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE)
      stderr.write(
        'a long transaction uses a table: find it in pg_stat_activity, then run this again. Finished migrations are kept\n',
      );
    return 1;
  }
}

async function migrate(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  { stdout, stderr, lockTimeoutMs = LOCK_TIMEOUT_MS }: MigrationOptions,
): Promise<number> {
  const unknown = args.find((arg) => arg !== '--new-epoch');
  if (unknown !== undefined) {
    stderr.write(`unknown argument ${unknown}\nusage: pnpm migrate [--new-epoch]\n`);
    return EX_USAGE;
  }
  const given = findSecret(env, 'DATABASE_URL', (path) => readFileSync(path, 'utf8'));
  if ('fault' in given) return refuseSetting(stderr, given.fault);
  const url = given.text;
  if (url === undefined) return refuseSetting(stderr, 'is required and not set');
  const fault = findPostgresUrlFault(url);
  if (fault !== null) return refuseSetting(stderr, fault);
  const source = await createDataSource(url, {
    connectionTimeoutMillis: 10_000,
    lock_timeout: lockTimeoutMs,
  }).initialize();
  try {
    await withLock(source, async () => {
      const done = await source.runMigrations({ transaction: 'each' });
      for (const { name } of done) stdout.write(`migrated: ${name}\n`);
      if (done.length === 0) stdout.write('the schema is up to date\n');
      if (args.includes('--new-epoch')) stdout.write(`new epoch: ${await renewEpoch(source)}\n`);
    });
    return 0;
  } finally {
    await source.destroy();
  }
}

/** Reports a wrong setting in the same words as the services do. */
function refuseSetting(stderr: MigrationOptions['stderr'], fault: string): number {
  stderr.write(
    `migrate cannot start: a setting is wrong\n  DATABASE_URL ${fault}\n    example: ${POSTGRES_URL_EXAMPLE}\n`,
  );
  return EX_CONFIG;
}

/** An advisory lock belongs to a connection. So a connection of its own holds it until the work is done. */
async function withLock(source: DataSource, work: () => Promise<void>): Promise<void> {
  const runner = source.createQueryRunner();
  try {
    // Another run may take long, so this waits for it without a limit.
    await runner.query('SET lock_timeout = 0');
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await work();
    await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
  } finally {
    await runner.release();
  }
}

/**
 * Starts a new epoch. In it, no connection of the old epoch holds a device, and no cursor is ahead of its inbox: such a
 * cursor would skip entries of the new epoch. The table lock waits for acknowledgements that are under way. Those that
 * come later see the new epoch.
 */
async function renewEpoch(source: DataSource): Promise<string> {
  const epoch = randomUUID();
  await source.transaction(async (manager) => {
    await manager.query('LOCK TABLE device IN SHARE ROW EXCLUSIVE MODE');
    await manager.query(`
      UPDATE device d SET gateway = NULL, cursor = least(d.cursor, coalesce(i.newest_seq, 0))
      FROM device k LEFT JOIN inbox i ON i.user_id = k.user_id
      WHERE k.user_id = d.user_id AND k.device = d.device
        AND (d.gateway IS NOT NULL OR d.cursor > coalesce(i.newest_seq, 0))`);
    await manager.getRepository(EpochEntity).update({ onlyRow: true }, { epoch, since: () => 'now()' });
  });
  return epoch;
}
