import { randomBytes } from 'node:crypto';
import { migrateDatabase } from '@posthorn/stack';
import { Client } from 'pg';

/** A database of a test file's own, with the current schema. */
export interface TestDatabase {
  url: string;
  /** Runs a statement on a connection of its own. */
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Runs a statement in a transaction that stays open, with its locks, until the returned function ends it. */
  hold(sql: string, values?: unknown[]): Promise<() => Promise<void>>;
  drop(): Promise<void>;
}

/** Creates an empty, migrated database on the test server. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = testUrl('POSTHORN_TEST_DATABASE_URL');
  const name = `posthorn_test_${randomBytes(6).toString('hex')}`;
  await onServer(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  await migrateDatabase(url.href);
  return {
    url: url.href,
    query: async (sql, values = []) => await run(url.href, sql, values),
    hold: (sql, values = []) => hold(url.href, sql, values),
    drop: () => onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function hold(url: string, sql: string, values: unknown[]): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined); // a test that fails leaves it to the drop of the database
  await client.connect();
  await client.query('BEGIN');
  await client.query(sql, values);
  return () => client.end();
}

async function onServer(server: string, sql: string): Promise<void> {
  await run(server, sql, []);
}

async function run<Row extends object>(url: string, sql: string, values: unknown[]): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** The address of a store that jest's global setup started. */
export function testUrl(name: 'POSTHORN_TEST_DATABASE_URL' | 'POSTHORN_TEST_REDIS_URL'): string {
  const url = process.env[name];
  if (url === undefined) throw new Error(`${name} is not set: run the tests through jest's global setup`);
  return url;
}
