import { InboxDatabase } from '@posthorn/inbox';
import pg from 'pg';
import { codeOf, type Finding, fault, findClockSkew, findLatency, ok, warning, wordsOf } from './finding.ts';

const WAIT_MS = 5_000;
/** A process opens this many connections besides `DATABASE_CONNECTIONS` (PROTOCOL §2.3). */
const OTHER_CONNECTIONS = 4;
/** Two processes of each service, and one more of each during a deploy. */
const PROCESSES = 6;
const MIN_VERSION = 15;

interface Facts {
  version: number;
  now_ms: number;
  max_connections: number;
  used: number;
  fsync: string;
  full_page_writes: string;
}

/** What the settings say of the connections of one process and the processes of one service. */
export interface Pool {
  /** `DATABASE_CONNECTIONS` */
  readonly connections: number;
  /** `WORKERS`: each opens its own connections. */
  readonly workers: number;
}

/**
 * Checks Postgres: reachable, latency, clock, free connections, and everything that the services check before they
 * are ready.
 */
export async function checkPostgres(url: string, { connections, workers }: Pool): Promise<Finding[]> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: WAIT_MS,
    query_timeout: WAIT_MS,
  });
  // If a connection ends in between, the running query reports it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const facts = await readFacts(client);
    const latency = await findLatency('postgres latency', () => client.query('SELECT 1'));
    return [
      ok('postgres', `reached, version ${Math.floor(facts.version / 10_000)}`),
      latency,
      ...findVersion(facts),
      facts.clock,
      findRoom(facts, (connections + OTHER_CONNECTIONS) * workers),
      ...(await findReadiness(url)),
      ...findRisks(facts),
    ];
  } catch (error) {
    return [fault('postgres', wordsOf(error), remedyOf(error))];
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function readFacts(client: pg.Client): Promise<Facts & { clock: Finding }> {
  const askedAt = Date.now();
  const { rows } = await client.query<Facts>(`
    SELECT current_setting('server_version_num')::int AS version,
           extract(epoch FROM clock_timestamp())::float8 * 1000 AS now_ms,
           current_setting('max_connections')::int AS max_connections,
           (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
           current_setting('fsync') AS fsync,
           current_setting('full_page_writes') AS full_page_writes`);
  const answeredAt = Date.now();
  const [facts] = rows;
  if (facts === undefined) throw new Error('it returned nothing about itself');
  const clock = findClockSkew(
    'postgres clock',
    facts.now_ms,
    (askedAt + answeredAt) / 2,
    answeredAt - askedAt,
  );
  return { ...facts, clock };
}

function findVersion({ version }: Facts): Finding[] {
  if (version >= MIN_VERSION * 10_000) return [];
  const detail = `version ${Math.floor(version / 10_000)}: Posthorn is tested with ${MIN_VERSION} and newer`;
  return [fault('postgres version', detail, `Use Postgres ${MIN_VERSION} or newer.`)];
}

function findRoom({ max_connections: max, used }: Facts, each: number): Finding {
  const needed = each * PROCESSES;
  const detail = `${used} of ${max} in use; each of your processes opens up to ${each}, so ${PROCESSES} of them up to ${needed}`;
  if (max - used >= each && max >= needed) return ok('postgres connections', detail);
  return warning(
    'postgres connections',
    detail,
    'Raise max_connections, lower DATABASE_CONNECTIONS, or run fewer processes. During a deploy old and new ones run side by side.',
  );
}

/** Uses the services' own code, so the words are the same. */
async function findReadiness(url: string): Promise<Finding[]> {
  const db = InboxDatabase.open({ url, log: { warn: () => undefined }, poolSize: 1 });
  try {
    const { postgres, schema, durability } = (await db.readiness()) ?? {};
    return [
      postgres === undefined
        ? ok('postgres writes', 'it takes writes')
        : fault(
            'postgres writes',
            postgres,
            'Point DATABASE_URL to the primary, and turn default_transaction_read_only off for this role and database.',
          ),
      schema === undefined
        ? ok('postgres schema', 'current')
        : fault('postgres schema', schema, 'Run pnpm migrate with this DATABASE_URL.'),
      durability === undefined
        ? ok('postgres durability', 'commits are kept through a crash of Postgres')
        : fault(
            'postgres durability',
            durability,
            'ALTER ROLE … SET synchronous_commit = on (and the same for the database), then restart the services; ALTER TABLE … SET LOGGED.',
          ),
    ];
  } finally {
    await db.close();
  }
}

function findRisks({ fsync, full_page_writes }: Facts): Finding[] {
  const off = Object.entries({ fsync, full_page_writes }).flatMap(([name, value]) =>
    value === 'off' ? [name] : [],
  );
  if (off.length === 0) return [];
  const remedy = `Turn ${off.join(' and ')} on in postgresql.conf, unless the data may be lost.`;
  return [
    fault(
      'postgres disk',
      `${off.join(' and ')} off: a crash of the machine loses messages that were accepted`,
      remedy,
    ),
  ];
}

function remedyOf(error: unknown): string {
  switch (codeOf(error)) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'Check the host in DATABASE_URL: this machine cannot resolve its name.';
    case 'ECONNREFUSED':
      return 'Check host and port in DATABASE_URL, whether Postgres runs, and its setting listen_addresses.';
    case '28P01':
    case '28000':
      return 'Check user and password in DATABASE_URL, and pg_hba.conf.';
    case '3D000':
      return 'Create the database that DATABASE_URL names, or name another.';
    case '53300':
      return 'All connections are taken: raise max_connections, or run fewer processes.';
    case '57P03':
      return 'Postgres is starting or recovering. Wait, and read its log.';
    default:
      return 'Check DATABASE_URL, the network in between, and the log of Postgres.';
  }
}
