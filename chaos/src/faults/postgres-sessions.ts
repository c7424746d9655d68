import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresControl } from '../world/chaos-world';
import { errorOf, seen } from './evidence';
import { EVERY_KIND, type Fault } from './fault';
import { repeat } from './repeat';
import { signalIfThere } from './signal-if-there';

const LABEL = 'postgres';
/** Matches the connections of the services. */
const OURS = `application_name = 'posthorn'`;
const POLL_MS = 50;

/**
 * Statements are short, so few would be hit by chance. This locks inboxes for a moment and then ends the backends
 * that wait for them. These have claimed idempotency keys and hold some of their locks.
 */
const TERMINATE = `
  DO $$ BEGIN
    PERFORM 1 FROM inbox ORDER BY user_id COLLATE "C" FOR UPDATE;
    PERFORM pg_sleep(0.1);
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE ${OURS} AND (wait_event_type = 'Lock' OR state = 'idle in transaction');
  END $$`;

const terminateBackends: Fault = {
  id: 'postgres-terminate-backends',
  what: 'Postgres ends connections of the services in the middle of transactions (pg_terminate_backend).',
  kinds: EVERY_KIND,
  minMs: 1_000,
  maxMs: 4_000,
  inject: async ({ postgres }) => {
    const before = await killedSessions(postgres);
    const loop = repeat(POLL_MS, () => postgres.query(TERMINATE));
    return {
      target: LABEL,
      heal: () => loop.stop(),
      effect: async () => {
        const count = (await killedSessions(postgres).catch(() => before)) - before; // another fault may hit it too
        return seen(count > 0, `${count} connections were ended`);
      },
    };
  },
};

/** Also ends the services' connections and takes each one that becomes free, so that they cannot reconnect. */
const connectionLimit: Fault = {
  id: 'postgres-connection-limit',
  what: 'Other clients take all connections of Postgres, including those of the services.',
  kinds: EVERY_KIND,
  minMs: 1_500,
  maxMs: 5_000,
  inject: async ({ postgres }) => {
    const theirs = await postgres.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE ${OURS} AND datname = current_database()`,
    );
    const held: (() => Promise<void>)[] = [];
    let refusal: string | null = null;
    const take = async (): Promise<void> => void held.push(await postgres.hold());
    const fill = async (): Promise<void> => {
      const error = await errorOf(async () => {
        for (;;) await take();
      });
      if (error !== null && /too many|slots/.test(error)) refusal = error;
    };
    await fill();
    // While the postmaster is stopped, requests wait in line. The first one is served first when it continues.
    const [postmaster] = postgres.pids();
    if (postmaster !== undefined) signalIfThere(postmaster, 'SIGSTOP');
    const taking = theirs.map(() => errorOf(take));
    for (const { pid } of theirs) signalIfThere(pid, 'SIGTERM');
    await sleep(POLL_MS);
    if (postmaster !== undefined) signalIfThere(postmaster, 'SIGCONT');
    await Promise.all(taking);
    const loop = repeat(POLL_MS, fill);
    return {
      target: LABEL,
      heal: async () => {
        await loop.stop();
        await Promise.all(held.map((release) => release()));
      },
      effect: async () => seen(refusal !== null, `${held.length} connections held: ${refusal}`),
    };
  },
};

const readOnly: Fault = {
  id: 'postgres-read-only',
  what: 'Every transaction of Postgres is read-only.',
  kinds: EVERY_KIND,
  minMs: 1_000,
  maxMs: 5_000,
  inject: async ({ postgres }) => {
    const write = (): Promise<unknown> => postgres.query('DELETE FROM epoch WHERE false');
    await postgres.query('ALTER SYSTEM SET default_transaction_read_only = on');
    await postgres.query('SELECT pg_reload_conf()');
    let error: string | null = null;
    // Postgres takes some time to read its settings again.
    for (let n = 0; n < 400 && error === null; n++) {
      await sleep(POLL_MS);
      error = await errorOf(write);
    }
    return {
      target: LABEL,
      heal: async () => {
        await postgres.query('ALTER SYSTEM RESET default_transaction_read_only');
        await postgres.query('SELECT pg_reload_conf()');
      },
      effect: async () => seen(error?.includes('read-only') === true, `a write was refused: ${error}`),
    };
  },
};

/** Faults inside a running Postgres. */
export const sessionFaults: readonly Fault[] = [terminateBackends, connectionLimit, readOnly];

async function killedSessions(postgres: PostgresControl): Promise<number> {
  const [row] = await postgres.query<{ count: number }>(
    'SELECT sessions_killed::float8 AS count FROM pg_stat_database WHERE datname = current_database()',
  );
  return row?.count ?? 0;
}
