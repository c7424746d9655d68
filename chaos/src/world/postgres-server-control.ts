import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@posthorn/stack';
import { Client } from 'pg';
import type { PostgresControl } from './chaos-world';

const ENOUGH_CONNECTIONS = '60';

/** Our own Postgres, which can be stopped and started again at its address with its data. */
export class PostgresServerControl implements PostgresControl {
  readonly #dir: string;
  readonly port: number;
  #server: PostgresServer;
  #isUp = true;
  /** The address of the run's database. */
  #url: string;

  private constructor(dir: string, server: PostgresServer) {
    this.#dir = dir;
    this.#server = server;
    this.port = server.port;
    this.#url = server.url;
  }

  static async open(dir: string): Promise<PostgresServerControl> {
    return new PostgresServerControl(dir, await startPostgres({ dir, settings: settings() }));
  }

  /** The run's database, not through a proxy. */
  get url(): string {
    return this.#url;
  }

  /** Creates an empty database for the run and drops the previous one. */
  async renew(name: string): Promise<void> {
    const before = new URL(this.#url).pathname.slice(1);
    this.#url = this.#server.url;
    await this.query(`CREATE DATABASE ${name}`);
    if (before !== new URL(this.#server.url).pathname.slice(1))
      await this.query(`DROP DATABASE IF EXISTS ${before} WITH (FORCE)`);
    const url = new URL(this.#server.url);
    url.pathname = `/${name}`;
    this.#url = url.href;
  }

  pids(): number[] {
    const postmaster = this.#postmaster();
    return postmaster === null ? [] : [postmaster, ...childrenOf(postmaster)];
  }

  async stop(mode: 'fast' | 'immediate' | 'kill'): Promise<void> {
    if (!this.#isUp) return;
    this.#isUp = false;
    if (mode === 'kill') for (const pid of this.pids()) killIfThere(pid);
    await this.#server.stop(mode === 'kill' ? 'immediate' : mode);
  }

  async start(): Promise<void> {
    if (this.#isUp) return;
    this.#server = await startPostgres({ dir: this.#dir, port: this.port, settings: settings() });
    this.#isUp = true;
  }

  async query<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
    const client = await this.#connect();
    try {
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      await end(client);
    }
  }

  async hold(): Promise<() => Promise<void>> {
    const client = await this.#connect();
    return () => end(client);
  }

  async #connect(): Promise<Client> {
    const client = new Client({ connectionString: this.#url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined); // the query itself rejects
    await client.connect();
    return client;
  }

  /** Read from its lock file, because the started process may be a wrapper that runs it as another user. */
  #postmaster(): number | null {
    try {
      const pid = Number.parseInt(readFileSync(join(this.#server.dir, 'data', 'postmaster.pid'), 'utf8'), 10);
      return Number.isSafeInteger(pid) ? pid : null;
    } catch {
      return null; // it is not running
    }
  }
}

async function end(client: Client): Promise<void> {
  await client.end().catch(() => undefined); // a fault has ended it
}

function settings(): Record<string, string> {
  return { max_connections: ENOUGH_CONNECTIONS };
}

/** Uses `ps` if there is no /proc. */
function childrenOf(parent: number): number[] {
  if (process.platform !== 'linux') {
    const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
    const rows = table.split('\n').map((row) => row.trim().split(/\s+/).map(Number));
    return rows.flatMap(([pid, ppid]) => (pid !== undefined && ppid === parent ? [pid] : []));
  }
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isSafeInteger(pid) && parentOf(pid) === parent);
}

function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null; // it has ended
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended with its postmaster.
  }
}
