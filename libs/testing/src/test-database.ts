import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** A test file's own database, with the current schema. */
export interface TestDatabase {
  url: string;
  /** Runs a statement on a new connection. */
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Runs a statement in a transaction that stays open, with its locks, until the returned function ends it. */
  hold(sql: string, values?: unknown[]): Promise<() => Promise<void>>;
  drop(): Promise<void>;
}

/** Creates an empty database with the current schema on the test server, as a copy of the run's template. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = fromGlobalSetup('POSTHORN_TEST_DATABASE_URL');
  const name = `posthorn_test_${randomBytes(6).toString('hex')}`;
  await onServer(server, `CREATE DATABASE ${name} TEMPLATE ${fromGlobalSetup('POSTHORN_TEST_TEMPLATE')}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    query: async (sql, values = []) => await run(url.href, sql, values),
    hold: (sql, values = []) => hold(url.href, sql, values),
    drop: () => onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function hold(url: string, sql: string, values: unknown[]): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined); // after a failed test, dropping the database ends it
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

/**
 * A value that jest's global setup left for the tests: the address of a store, or the name of the template database.
 */
export function fromGlobalSetup(
  name: 'POSTHORN_TEST_DATABASE_URL' | 'POSTHORN_TEST_TEMPLATE' | 'POSTHORN_TEST_REDIS_URL',
): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run the tests with npm test`);
  return value;
}
