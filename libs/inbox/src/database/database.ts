import { Client, Pool, type QueryResultRow, types } from 'pg';
import type { DataSource } from 'typeorm';
import { createDataSource, MIGRATIONS_TABLE, migrations, TABLES } from '../schema/schema';
import { clockMsSql, faultOfClock } from './clock';
import { DATABASE_WAITS, type DatabaseWaits } from './database-waits';
import { type DurabilityFacts, faultOfDurability, readDurability, risksOfDurability } from './durability';
import { asOutage, isRetryable, isSilence, OutageError } from './outage';
import { queryPool } from './query-pool';

/** Where the database writes warnings that are not errors of a call. */
export interface DatabaseLog {
  warn(message: string, meta?: object): void;
}

/** How to reach Postgres. */
export interface DatabaseOptions {
  url: string;
  log: DatabaseLog;
  /** Called each time `run`, `orm` or `maintain` fails with an `OutageError`. */
  onFault?: () => void;
  /** Connections for the hot statements. */
  poolSize?: number;
  waits?: DatabaseWaits;
}

/** Why Postgres is not ready: one text for each thing that a service needs and that is missing (PROTOCOL §2.4). */
export interface DatabaseFaults {
  postgres?: string;
  schema?: string;
  durability?: string;
  clock?: string;
}

/** A prepared statement. The name must be unique, because Postgres keeps the plan under it. */
export interface Statement {
  name: string;
  text: string;
}

const MAX_RETRIES = 3;
const READS_ONLY = 'Postgres is read-only: it is a standby, or default_transaction_read_only is on';
const POOL_SIZE = 10;
/**
 * Postgres keeps the plans of prepared statements. A plan from the time when a table was small would still scan the
 * whole table after it has grown. So the hot statements never scan a table if an index fits. If none fits, as for the
 * one row of `epoch`, Postgres still scans, but estimates a very high cost. For that cost it would compile the
 * statement (JIT), which takes most of a second each time. So JIT is off too.
 */
const HOT_PLANS = '-c enable_seqscan=off -c enable_bitmapscan=off -c jit=off';

/**
 * Access to Postgres: a `pg` pool for the hot statements, and TypeORM for the ordinary ones. Opening never waits. While
 * Postgres is unreachable, every call fails with an `OutageError`.
 */
export class InboxDatabase {
  readonly #pool: Pool;
  readonly #log: DatabaseLog;
  readonly #onFault: () => void;
  readonly #openSource: () => DataSource;
  readonly #openMaintainer: () => Client;
  #source: DataSource;
  #initializing: Promise<DataSource> | null = null;
  #leaving: Promise<void> = Promise.resolve();
  #schemaIsCurrent = false;
  #warnedOf = '';

  private constructor(options: DatabaseOptions) {
    const { connectMs, lockMs, statementMs, queryMs } = options.waits ?? DATABASE_WAITS;
    const limits = {
      statement_timeout: statementMs,
      lock_timeout: lockMs,
      idle_in_transaction_session_timeout: statementMs,
      query_timeout: queryMs,
      connectionTimeoutMillis: connectMs,
      keepAlive: true,
      application_name: 'posthorn',
    };
    this.#log = options.log;
    this.#onFault = options.onFault ?? (() => undefined);
    this.#pool = new Pool({
      connectionString: options.url,
      max: options.poolSize ?? POOL_SIZE,
      ...limits,
      options: HOT_PLANS,
      types: {
        getTypeParser: (oid, format) =>
          oid === types.builtins.INT8 ? parseSafeInteger : types.getTypeParser(oid, format),
      },
    });
    // If the server ends an idle connection, the pool reports it here. Without a listener the process would end.
    this.#pool.on('error', (error) => this.#log.warn('idle Postgres connection lost', { error }));
    this.#openMaintainer = () =>
      new Client({
        connectionString: options.url,
        lock_timeout: lockMs,
        connectionTimeoutMillis: connectMs,
        keepAlive: true,
        application_name: 'posthorn',
      });
    this.#openSource = () => createDataSource(options.url, { max: 4, ...limits });
    this.#source = this.#openSource();
  }

  /** Does not connect yet. */
  static open(options: DatabaseOptions): InboxDatabase {
    return new InboxDatabase(options);
  }

  async close(): Promise<void> {
    await this.#initializing?.catch((error: unknown) =>
      this.#log.warn('TypeORM was not connected', { error }),
    );
    if (this.#source.isInitialized) await this.#source.destroy();
    await this.#leaving;
    await this.#pool.end();
  }

  /**
   * Runs one prepared statement, which is one transaction. If Postgres reports a deadlock or a serialization failure,
   * the statement is run again, at most three times. By default Postgres looks for deadlocks only after a second. Our
   * statements wait no longer than that for a lock, and giving up ends the deadlock too.
   * @throws OutageError when Postgres is unreachable or too slow; otherwise the error of the statement itself
   */
  async run<Row extends QueryResultRow>(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await queryPool<Row>(this.#pool, { ...statement, values: [...values] });
      } catch (error) {
        if (attempt >= MAX_RETRIES || !isRetryable(error)) throw this.#failed(error);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * 2 ** attempt));
      }
    }
  }

  /**
   * Runs an ordinary query through TypeORM.
   * @throws OutageError when Postgres is unreachable or too slow
   */
  async orm<T>(query: (source: DataSource) => Promise<T>): Promise<T> {
    let source: DataSource | undefined;
    try {
      source = await this.#initialized();
      return await query(source);
    } catch (error) {
      const cause = error instanceof Error && 'driverError' in error ? error.driverError : error;
      if (source !== undefined && isSilence(cause)) this.#leave(source);
      throw this.#failed(cause);
    }
  }

  /**
   * Runs statements that change tables, on a connection of its own. They may run long, but wait at most `lockMs` for a
   * lock unless `work` sets another limit. When `signal` aborts, Postgres cancels the statement that is running.
   * @throws OutageError
   */
  async maintain<T>(work: (client: Client) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const client = this.#openMaintainer();
    // Without a listener the process would end. A query on a broken connection fails by itself.
    client.on('error', () => undefined);
    let pid = 0;
    const giveUp = async (): Promise<void> => {
      await this.#pool.query('SELECT pg_cancel_backend($1)', [pid]);
      await client.end();
    };
    const onAbort = (): void => {
      giveUp().catch((error: unknown) => this.#log.warn('a statement was not cancelled', { error }));
    };
    try {
      signal?.throwIfAborted();
      await client.connect();
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      pid = rows[0]?.pid ?? 0;
      signal?.addEventListener('abort', onAbort);
      // The signal may have aborted while we connected, when there was nothing to cancel.
      signal?.throwIfAborted();
      return await work(client);
    } catch (error) {
      throw this.#failed(error);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      await client.end().catch(() => undefined); // it is already broken
    }
  }

  /**
   * Null when Postgres is ready: it accepts writes, the schema is current, commits survive a crash, and our clocks
   * agree. Otherwise one text for each fault. Never throws.
   */
  async readiness(): Promise<DatabaseFaults | null> {
    try {
      const { readsOnly, clock } = await this.#state();
      const behind = await this.#migrationsBehind();
      const durability = await this.#durabilityFault();
      const faults: DatabaseFaults = {
        ...(readsOnly ? { postgres: READS_ONLY } : {}),
        ...(behind > 0 ? { schema: `the schema is ${behind} migration(s) behind: run pnpm migrate` } : {}),
        ...(durability === null ? {} : { durability }),
        ...(clock === null ? {} : { clock }),
      };
      return Object.keys(faults).length === 0 ? null : faults;
    } catch (error) {
      return { postgres: asOutage(error).message };
    }
  }

  /**
   * A read-only server answers but accepts no message. With a wrong clock it refuses them (`message_id_time_check`).
   */
  async #state(): Promise<{ readsOnly: boolean; clock: string | null }> {
    const { rows } = await this.#pool.query<{ reads_only: boolean; now_ms: number }>(
      `SELECT current_setting('transaction_read_only')::boolean AS reads_only, ${clockMsSql} AS now_ms`,
    );
    const [state] = rows;
    if (state === undefined) throw new OutageError('Postgres did not report its state');
    return { readsOnly: state.reads_only, clock: faultOfClock(state.now_ms) };
  }

  async #migrationsBehind(): Promise<number> {
    if (this.#schemaIsCurrent) return 0;
    const { rows } = await this.#pool.query<{ behind: number | null }>(
      `SELECT CASE WHEN to_regclass($1) IS NULL THEN $2::int END AS behind`,
      [MIGRATIONS_TABLE, migrations.length],
    );
    const behind = rows[0]?.behind ?? (await this.#countMissingMigrations());
    this.#schemaIsCurrent = behind === 0;
    return behind;
  }

  /** Asked every time, because tables and settings can change while a service runs. It costs one catalog query. */
  async #durabilityFault(): Promise<string | null> {
    const { rows } = await this.#pool.query<DurabilityFacts>({ ...readDurability, values: [TABLES] });
    const [facts] = rows;
    if (facts === undefined) throw new OutageError('Postgres did not report its settings');
    const risks = risksOfDurability(facts).join(', ');
    if (risks !== '' && risks !== this.#warnedOf) {
      this.#log.warn('Postgres may lose commits', { reason: `${risks} off` });
    }
    this.#warnedOf = risks;
    return faultOfDurability(facts);
  }

  async #countMissingMigrations(): Promise<number> {
    const { rows } = await this.#pool.query<{ name: string }>(`SELECT name FROM ${MIGRATIONS_TABLE}`);
    const done = new Set(rows.map((row) => row.name));
    return migrations.filter((migration) => !done.has(migration.name)).length;
  }

  #failed(error: unknown): Error {
    const outcome = asOutage(error);
    if (outcome instanceof OutageError) this.#onFault();
    return outcome;
  }

  /**
   * TypeORM puts a connection back into its pool as healthy, even after an error. A connection that no longer answers
   * would be used again forever. So the whole pool is replaced.
   */
  #leave(source: DataSource): void {
    if (source !== this.#source) return;
    this.#source = this.#openSource();
    this.#leaving = Promise.all([this.#leaving, source.destroy()]).then(
      () => undefined,
      (error: unknown) => this.#log.warn('TypeORM was not closed', { error }),
    );
  }

  async #initialized(): Promise<DataSource> {
    if (this.#source.isInitialized) return this.#source;
    this.#initializing ??= this.#source.initialize().finally(() => {
      this.#initializing = null;
    });
    return await this.#initializing;
  }
}

/** Parses a bigint as a number. `seq` stays far below 2^53, and an error is better than a wrong number. */
function parseSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new OutageError(`a bigint out of range came from Postgres: ${text}`);
  return value;
}
