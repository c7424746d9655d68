import { join } from 'node:path';
import { repoRoot } from '../paths';
import { startProcess } from '../process/managed-process';
import { inherited } from '../process/service-process';

/**
 * Brings the schema of a database up to date, as `pnpm migrate` does. `args` may be `['--new-epoch']`. If it fails,
 * throws with the output of the migration.
 */
export async function migrateDatabase(databaseUrl: string, args: readonly string[] = []): Promise<void> {
  const migrate = await startProcess({
    name: 'The migration',
    command: process.execPath,
    args: [join(repoRoot, 'libs', 'inbox', 'dist', 'migrate.js'), ...args],
    env: { ...inherited(), DATABASE_URL: databaseUrl },
    cwd: repoRoot,
    orphanSignal: 'SIGTERM',
  });
  const { code } = await migrate.exited;
  if (code !== 0) throw migrate.failure('failed');
}
