import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { commandOf } from '../process/command-of';
import { freePort } from '../process/free-port';
import { type ManagedProcess, startProcess } from '../process/managed-process';
import { findPostgresBinaries } from './postgres-binaries';
import { type Placement, placePostgres } from './postgres-placement';
import { ids } from './run-as';

/** How to start Postgres. */
export interface PostgresOptions {
  /** Its folder. Existing data is kept. */
  dir: string;
  /** Any free port by default. */
  port?: number;
  /** Settings of postgresql.conf that override the defaults: `{ fsync: 'off' }`. */
  settings?: Record<string, string>;
}

/** A running Postgres on 127.0.0.1. */
export interface PostgresServer {
  /** The address of the empty database `posthorn`, with all rights. Contains a password. */
  url: string;
  port: number;
  pid: number;
  /** Where the data really is; see `Placement.dir`. */
  dir: string;
  logs(): string[];
  /**
   * `fast` (the default) ends its connections and shuts down cleanly. `immediate` is a crash: the next start
   * recovers.
   */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
}

const NAME = 'posthorn';
const READY_BOUND_MS = 60_000;
const STOP_BOUND_MS = 15_000;
const PORT_TRIES = 5;

/** Starts our own Postgres, as a user that may run it. Throws with the server's own output if it does not start. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const place = placePostgres(options.dir, findPostgresBinaries());
  const password = keepPassword(place.dir);
  const data = join(place.dir, 'data');
  if (!existsSync(join(data, 'PG_VERSION')))
    await initialise(place, data, options.settings?.['fsync'] === 'off');
  await clearLockFile(data);
  const { server, port } = await launch(place, data, options);
  const stop = async (mode: 'fast' | 'immediate' = 'fast') => {
    await server.stop(mode === 'fast' ? 'SIGINT' : 'SIGQUIT', STOP_BOUND_MS);
  };
  try {
    await createDatabase(port, password);
  } catch (error) {
    await stop();
    throw error;
  }
  const url = `postgres://${NAME}:${password}@127.0.0.1:${port}/${NAME}`;
  return { url, port, pid: server.pid, dir: place.dir, logs: () => server.logs(), stop };
}

function run(place: Placement, program: string, args: readonly string[]): Promise<ManagedProcess> {
  const words = [...place.launch.prefix, join(place.binaries, 'bin', program), ...args];
  const [command = program, ...rest] = words;
  return startProcess({
    name: `Postgres (${program})`,
    command,
    args: rest,
    // Pass nothing else: PG… variables would change what the programs do. `LC_ALL` makes messages English.
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
    orphanSignal: 'SIGQUIT',
    ...ids(place.launch),
  });
}

/**
 * The password of this folder's server, created at the first start. initdb reads it from this file as the folder's
 * owner.
 */
function keepPassword(dir: string): string {
  const file = join(dir, 'password');
  if (!existsSync(file)) {
    writeFileSync(file, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
    const { uid, gid } = statSync(dir);
    chownSync(file, uid, gid);
  }
  return readFileSync(file, 'utf8').trim();
}

/** initdb works beside the final folder, so that an interrupted start leaves nothing incomplete there. */
async function initialise(place: Placement, data: string, mayLose: boolean): Promise<void> {
  const half = `${data}.new`;
  rmSync(half, { recursive: true, force: true });
  const initdb = await run(place, 'initdb', [
    `--pgdata=${half}`,
    `--username=${NAME}`,
    `--pwfile=${join(place.dir, 'password')}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-instructions',
    ...(mayLose ? ['--no-sync'] : []),
  ]);
  const exit = await initdb.exited;
  if (exit.code !== 0) throw initdb.failure(`could not make ${data}`);
  renameSync(half, data);
}

/**
 * After a crash the lock file names a process that is gone. After a restart of the machine or container an unrelated
 * process may have the same number, and Postgres would refuse to start.
 */
async function clearLockFile(data: string): Promise<void> {
  const file = join(data, 'postmaster.pid');
  const boundAt = Date.now() + STOP_BOUND_MS;
  while (existsSync(file)) {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    const isOurs = commandOf(pid)?.includes(data) ?? false;
    if (!isOurs) return rmSync(file, { force: true });
    if (Date.now() > boundAt) {
      throw new Error(`A Postgres already runs in ${data}. Stop it first: kill -INT ${pid}`);
    }
    await sleep(100);
  }
}

async function launch(
  place: Placement,
  data: string,
  { port: wanted, settings = {} }: PostgresOptions,
): Promise<{ server: ManagedProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = wanted ?? (await freePort());
    const all = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      // The path of a socket file is limited to about 100 characters, and a project's folder may be longer.
      unix_socket_directories: '',
      ...settings,
    };
    const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = await run(place, 'postgres', ['-D', data, ...flags]);
    try {
      await server.waitForLine((line) => line.endsWith('ready to accept connections'), READY_BOUND_MS);
      return { server, port };
    } catch (error) {
      await server.stop('SIGQUIT', STOP_BOUND_MS);
      const isPortTaken = server.logs().some((line) => line.includes('Address already in use'));
      if (!isPortTaken || wanted !== undefined || attempt === PORT_TRIES) throw error;
    }
  }
}

async function createDatabase(port: number, password: string): Promise<void> {
  const client = new Client({ host: '127.0.0.1', port, user: NAME, password, database: 'postgres' });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [NAME]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${NAME}`);
  } finally {
    await client.end();
  }
}
