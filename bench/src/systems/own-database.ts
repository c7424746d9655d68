import { query } from '../world/stores';

let count = 0;

/** A database for one system, and a function to drop it. */
export async function createDatabase(
  databaseUrl: string,
  name: string,
): Promise<{ url: string; drop(): Promise<void> }> {
  const database = `bench_${name.replaceAll(/\W/g, '_')}_${process.pid}_${++count}`;
  await query(databaseUrl, `CREATE DATABASE ${database}`);
  const url = new URL(databaseUrl);
  url.pathname = `/${database}`;
  return {
    url: url.href,
    drop: async () => {
      await query(databaseUrl, `DROP DATABASE ${database} WITH (FORCE)`);
    },
  };
}
