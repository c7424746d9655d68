import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  freePort,
  migrateDatabase,
  openRedisClient,
  type PostgresServer,
  type RedisClient,
  type RedisServer,
  startPostgres,
  startRedis,
} from '@posthorn/stack';
import { eventually } from '@posthorn/testing';
import { Client } from 'pg';
import { root } from '../docs/repository';
import { type CliOptions, callCli, runCli } from './cli.fixture';

interface Finding {
  check: string;
  state: 'ok' | 'warning' | 'fault';
  detail: string;
  remedy?: string;
}

const SECRET = 'a-secret-for-the-doctor-of-the-tests';
let folder: string;
let postgres: PostgresServer;
let redis: RedisServer;
let client: RedisClient;
let keys: Server;
let answerKeys: { status: number; body: unknown };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-doctor-'));
  [postgres, redis] = await Promise.all([
    startPostgres({ dir: join(folder, 'postgres') }),
    startRedis({ dir: join(folder, 'redis'), args: ['--maxmemory', '256mb'] }),
  ]);
  await migrateDatabase(postgres.url);
  client = openRedisClient(redis.url);
  keys = createServer((_request, response) => {
    response.writeHead(answerKeys.status).end(JSON.stringify(answerKeys.body));
  }).listen(0, '127.0.0.1');
});

afterAll(async () => {
  keys.close();
  client.disconnect();
  await Promise.all([postgres.stop('immediate'), redis.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** What is planted in a process needs one of its own: then `run` is `runCli`. */
interface Planted {
  env?: Record<string, string>;
  options?: CliOptions;
  run?: typeof runCli;
}

async function examine({ env = {}, options = {}, run = callCli }: Planted = {}) {
  const all = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, AUTH_JWT_SECRET: SECRET, ...env };
  const { code, out, err } = await run(['doctor', '--json'], { ...options, env: all });
  expect(err).toBe('');
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  return { code, findings };
}

/** As the owner of the server. */
async function sql(...statements: string[]): Promise<Record<string, unknown>[]> {
  const connection = new Client({ connectionString: postgres.url });
  await connection.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) ({ rows } = await connection.query(statement));
    return rows;
  } finally {
    await connection.end();
  }
}

/** Postgres reads its configuration again some time after it was told to. */
async function setFsync(statement: string, value: 'on' | 'off'): Promise<void> {
  await sql(statement, 'SELECT pg_reload_conf()');
  await eventually(`fsync is ${value}`, async () => (await sql('SHOW fsync'))[0]?.['fsync'] === value);
}

function withPart(url: string, part: 'port' | 'password' | 'pathname', value: string): string {
  const changed = new URL(url);
  changed[part] = value;
  return changed.href;
}

const keysUrl = (): string => `http://127.0.0.1:${(keys.address() as AddressInfo).port}/keys`;

/** What is broken, how, how it is mended, and what the doctor has to say. */
interface Fault {
  plant(): Promise<Planted | void>;
  mend?(): Promise<unknown>;
  check: string;
  detail: RegExp;
  remedy: RegExp;
}

const FAULTS: Record<string, Fault> = {
  'a setting that is wrong': {
    plant: async () => ({ env: { REDIS_PREFIX: '{mine}' } }),
    check: 'setting REDIS_PREFIX',
    detail: /1 to 64 of the characters/,
    remedy: /posthorn config/,
  },
  'no Postgres': {
    plant: async () => ({
      env: { DATABASE_URL: withPart(postgres.url, 'port', String(await freePort())) },
    }),
    check: 'postgres',
    detail: /ECONNREFUSED/,
    remedy: /host and port in DATABASE_URL/,
  },
  'a wrong password for Postgres': {
    plant: async () => ({ env: { DATABASE_URL: withPart(postgres.url, 'password', 'wrong') } }),
    check: 'postgres',
    detail: /password authentication failed/,
    remedy: /user and password in DATABASE_URL/,
  },
  'a database that does not exist': {
    plant: async () => ({ env: { DATABASE_URL: withPart(postgres.url, 'pathname', '/nowhere') } }),
    check: 'postgres',
    detail: /"nowhere" does not exist/,
    remedy: /Create the database/,
  },
  'a schema that is behind': {
    plant: async () => {
      await sql('CREATE DATABASE bare');
      return { env: { DATABASE_URL: withPart(postgres.url, 'pathname', '/bare') } };
    },
    check: 'postgres schema',
    detail: /migration\(s\) behind/,
    remedy: /pnpm migrate/,
  },
  'commits that a crash may lose': {
    plant: async () => void (await sql('ALTER DATABASE posthorn SET synchronous_commit = off')),
    mend: () => sql('ALTER DATABASE posthorn RESET synchronous_commit'),
    check: 'postgres durability',
    detail: /synchronous_commit is off/,
    remedy: /synchronous_commit = on/,
  },
  'a Postgres that only reads': {
    plant: async () => void (await sql('ALTER DATABASE posthorn SET default_transaction_read_only = on')),
    mend: () =>
      sql(
        'SET default_transaction_read_only = off',
        'ALTER DATABASE posthorn RESET default_transaction_read_only',
      ),
    check: 'postgres writes',
    detail: /read-only/,
    remedy: /primary/,
  },
  'a Postgres that does not write to its disk': {
    plant: () => setFsync('ALTER SYSTEM SET fsync = off', 'off'),
    mend: () => setFsync('ALTER SYSTEM RESET fsync', 'on'),
    check: 'postgres disk',
    detail: /fsync off/,
    remedy: /postgresql\.conf/,
  },
  'no Redis': {
    plant: async () => ({ env: { REDIS_URL: `redis://127.0.0.1:${await freePort()}` } }),
    check: 'redis',
    detail: /ECONNREFUSED/,
    remedy: /host and port in REDIS_URL/,
  },
  'a Redis that wants a password': {
    plant: async () => ({
      env: { REDIS_URL: (await client.config('SET', 'requirepass', 'hush'), redis.url) },
    }),
    mend: () => client.config('SET', 'requirepass', ''),
    check: 'redis',
    detail: /NOAUTH/,
    remedy: /user and password in REDIS_URL/,
  },
  'a Redis that evicts': {
    plant: async () => void (await client.config('SET', 'maxmemory-policy', 'allkeys-lru')),
    mend: () => client.config('SET', 'maxmemory-policy', 'noeviction'),
    check: 'redis eviction',
    detail: /allkeys-lru/,
    remedy: /noeviction/,
  },
  'a Redis that is full': {
    plant: async () => void (await client.config('SET', 'maxmemory', '500kb')),
    mend: () => client.config('SET', 'maxmemory', '256mb'),
    check: 'redis writes',
    detail: /OOM/,
    remedy: /maxmemory/,
  },
  'a Redis that is a replica': {
    plant: async () => void (await client.replicaof('127.0.0.1', await freePort())),
    mend: () => client.replicaof('NO', 'ONE'),
    check: 'redis role',
    detail: /replica/,
    remedy: /master/,
  },
  'a login service that fails': {
    plant: async () => {
      answerKeys = { status: 500, body: {} };
      return { env: { AUTH_JWT_SECRET: '', AUTH_JWKS_URL: keysUrl() } };
    },
    check: 'token keys',
    detail: /answers 500/,
    remedy: /AUTH_JWKS_URL/,
  },
  'a login service without a key that is any use': {
    plant: async () => {
      answerKeys = {
        status: 200,
        body: {
          keys: [
            { kty: 'oct', k: 'AA' },
            { kty: 'RSA', use: 'enc' },
          ],
        },
      };
      return { env: { AUTH_JWT_SECRET: '', AUTH_JWKS_URL: keysUrl() } };
    },
    check: 'token keys',
    detail: /none of 2 keys/,
    remedy: /RS256, ES256 or EdDSA/,
  },
  'a clock that is wrong': {
    plant: async () => ({
      env: {
        NODE_OPTIONS: `--require ${join(root, 'chaos', 'clock-skew.cjs')}`,
        CHAOS_CLOCK_SKEW_MS: '3600000',
      },
      run: runCli,
    }),
    check: 'postgres clock',
    // What the answer took is taken off, which may be seconds.
    detail: /^3[56]\d{5} ms from/,
    remedy: /NTP/,
  },
  'too few open files': {
    plant: async () => ({ options: { shell: 'ulimit -n 1000' }, run: runCli }),
    check: 'open files',
    detail: /at most 1000/,
    remedy: /LimitNOFILE/,
  },
  'no send-api': {
    plant: async () => ({ env: { POSTHORN_API: `http://127.0.0.1:${await freePort()}` } }),
    check: 'send-api',
    detail: /ECONNREFUSED/,
    remedy: /readyz/,
  },
};

it('finds nothing where all is well', async () => {
  const { code, findings } = await examine({ run: runCli });
  expect(findings.filter(({ state }) => state === 'fault')).toEqual([]);
  expect(code).toBe(0);
  expect(findings.map(({ check }) => check)).toEqual(
    expect.arrayContaining([
      'settings',
      'postgres',
      'postgres latency',
      'redis',
      'redis eviction',
      'open files',
    ]),
  );
});

it.each(Object.entries(FAULTS))('finds %s, says what to do, and ends with 1', async (_name, fault) => {
  const planted = await fault.plant();
  try {
    const { code, findings } = await examine(planted ?? {});
    const found = findings.find(({ check, state }) => check === fault.check && state === 'fault');
    expect(found).toMatchObject({
      detail: expect.stringMatching(fault.detail),
      remedy: expect.stringMatching(fault.remedy),
    });
    expect(code).toBe(1);
    expect(JSON.stringify(findings)).not.toContain(SECRET);
  } finally {
    await fault.mend?.();
  }
});

it('warns where the settings ask for more connections than Postgres has', async () => {
  const { findings } = await examine({ env: { DATABASE_CONNECTIONS: '50' } });
  expect(findings.find(({ check }) => check === 'postgres connections')).toMatchObject({
    state: 'warning',
    detail: expect.stringMatching(/up to 54, so 6 of them up to 324$/),
    remedy: expect.stringMatching(/lower DATABASE_CONNECTIONS/),
  });
});

it('looks at addresses that an option names, also one that is none', async () => {
  const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, AUTH_JWT_SECRET: SECRET };
  const { code, out } = await callCli(
    ['doctor', '--api', 'nowhere', '--gateway', `ws://127.0.0.1:${await freePort()}`],
    { env },
  );
  expect(code).toBe(1);
  expect(out).toMatch(/^FAULT +send-api +.*nowhere/m);
  expect(out).toMatch(/^FAULT +ws-gateway +.*ECONNREFUSED/m);
});

it('says it to people, with an arrow to what to do', async () => {
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, AUTH_JWT_SECRET: SECRET };
  const { code, out } = await callCli(['doctor'], { env });
  await client.config('SET', 'maxmemory-policy', 'noeviction');
  expect(code).toBe(1);
  expect(out).toMatch(
    /^FAULT +redis eviction +maxmemory-policy is allkeys-lru.*\n +→ CONFIG SET maxmemory-policy noeviction/m,
  );
  expect(out).toMatch(/^1 fault\(s\), \d warning\(s\)$/m);
});
