import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Message } from '@posthorn/protocol';
import {
  freePort,
  migrateDatabase,
  mintToken,
  type PostgresServer,
  type RedisServer,
  type ServiceProcess,
  startPostgres,
  startRedis,
  startService,
} from '@posthorn/stack';
import { eventually, TestClient } from '@posthorn/testing';
import { Client } from 'pg';
import { generate } from 'selfsigned';

const SECRET = 'a-secret-for-the-tests-of-tls-and-all';

let folder: string;
let postgres: PostgresServer;
let redis: RedisServer;
let tlsPort: number;
let env: Record<string, string>;
const services: ServiceProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-tls-'));
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keySize: 2_048,
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
    ],
  });
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key, { mode: 0o600 });
  tlsPort = await freePort();
  const tls = ['--tls-port', String(tlsPort), '--tls-cert-file', certFile, '--tls-key-file', keyFile];
  const withoutClients = ['--tls-ca-cert-file', certFile, '--tls-auth-clients', 'no'];
  [postgres, redis] = await Promise.all([
    startPostgres({ dir: join(folder, 'postgres') }),
    startRedis({ dir: join(folder, 'redis'), args: [...tls, ...withoutClients] }),
  ]);
  await turnTlsOn(postgres, cert, key);
  await migrateDatabase(postgres.url);
  const address = new URL(postgres.url);
  address.hostname = 'localhost';
  address.searchParams.set('sslmode', 'verify-full');
  env = {
    DATABASE_URL: address.href,
    REDIS_URL: `rediss://localhost:${tlsPort}`,
    AUTH_JWT_SECRET: SECRET,
    NODE_EXTRA_CA_CERTS: certFile,
    DRAIN_MS: '500',
  };
});

afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await Promise.all([postgres.stop('immediate'), redis.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** Postgres takes its key from nobody else's file. */
async function turnTlsOn({ url, dir }: PostgresServer, cert: string, key: string): Promise<void> {
  const { uid, gid } = statSync(dir);
  for (const [name, text] of Object.entries({ 'server.crt': cert, 'server.key': key })) {
    writeFileSync(join(dir, name), text, { mode: 0o600 });
    chownSync(join(dir, name), uid, gid);
  }
  await ask(url, `ALTER SYSTEM SET ssl_cert_file = '${join(dir, 'server.crt')}'`);
  await ask(url, `ALTER SYSTEM SET ssl_key_file = '${join(dir, 'server.key')}'`);
  await ask(url, 'ALTER SYSTEM SET ssl = on');
  await ask(url, 'SELECT pg_reload_conf()');
  await eventually('it speaks TLS', async () => {
    const [row] = await ask<{ ssl: string }>(url, 'SHOW ssl');
    return row?.ssl === 'on';
  });
}

async function ask<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

it('§2.3: both services work over TLS to both stores, whose certificates they check', async () => {
  const [api, gateway] = [await startService('send-api', env), await startService('ws-gateway', env)];
  services.push(api, gateway);
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((user) => mintToken({ user, secret: SECRET })));
  const client = await TestClient.connect({ url: gateway.url.replace('http', 'ws'), token: bob ?? '' });
  await client.nextOf('caughtUp');
  const response = await fetch(`${api.url}/v1/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${alice}`, 'content-type': 'application/json' },
    body: JSON.stringify({ to: ['bob'], text: 'over TLS' }),
  });
  expect(response.status).toBe(201);
  const { id } = (await response.json()) as Message;
  expect((await client.nextOf('message')).message.id).toBe(id);
  client.terminate();

  const [sessions] = await ask<{ all: number; tls: number }>(
    postgres.url,
    `SELECT count(*)::int AS all, count(*) FILTER (WHERE ssl)::int AS tls FROM pg_stat_activity
     JOIN pg_stat_ssl USING (pid) WHERE application_name = 'posthorn'`,
  );
  expect(sessions?.all).toBeGreaterThan(1);
  expect(sessions?.tls).toBe(sessions?.all);
  const clients = await redis.ask(async (connection) => String(await connection.client('LIST')));
  // Commands of both, and the gateway's subscriber.
  expect(
    clients.split('\n').filter((line) => line.includes(`laddr=127.0.0.1:${tlsPort} `)).length,
  ).toBeGreaterThanOrEqual(3);
});

it('§2.4: with a certificate that nobody vouches for a service stays unready, and says why', async () => {
  const { NODE_EXTRA_CA_CERTS: _ca, ...without } = env;
  const service = await startService('send-api', without, { isReadyExpected: false });
  services.push(service);
  const answer = await eventually('it says why', async () => {
    const response = await fetch(`${service.adminUrl}/readyz`);
    const body = (await response.json()) as { missing: { postgres?: string }; degraded: { redis?: string } };
    return body.missing.postgres !== undefined && { ...body, status: response.status };
  });
  expect(answer.status).toBe(503);
  expect(answer.missing.postgres).toMatch(/certificate/);
  expect(answer.degraded.redis).toBeDefined();
});
