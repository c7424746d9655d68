import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TokenVerifier } from '@posthorn/runtime';
import { callCli, runCli } from './cli.fixture';

const secret = 'a secret of the tests, 32 bytes or more';
const env = { AUTH_JWT_SECRET: secret };
const folder = mkdtempSync(join(tmpdir(), 'posthorn-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('prints a token alone, good for an hour, that the services take', async () => {
  const startedAt = Date.now();
  const { code, out, err } = await runCli(['token', 'alice'], { env });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const { user, scopes, expiresAtMs } = await new TokenVerifier({ auth: { secret } }).verify(out.trim());
  expect({ user, scopes: [...scopes] }).toEqual({ user: 'alice', scopes: [] });
  // A second is the smallest step of a token's times.
  expect(expiresAtMs).toBeGreaterThan(startedAt + 3_599_000);
  expect(expiresAtMs).toBeLessThanOrEqual(Date.now() + 3_600_000);
});

it('takes a life, scopes, an issuer and an audience', async () => {
  const args = ['token', 'alice', '--ttl', '2d', '--scope', 'send:as more', '--json'];
  const startedAt = Date.now();
  const { out } = await callCli(args, { env: { ...env, AUTH_ISSUER: 'me', AUTH_AUDIENCE: 'you' } });
  const { token } = JSON.parse(out) as { token: string };
  const verifier = new TokenVerifier({ auth: { secret, issuer: 'me', audience: 'you' } });
  const { scopes, expiresAtMs } = await verifier.verify(token);
  expect([...scopes]).toEqual(['send:as', 'more']);
  expect(expiresAtMs).toBeGreaterThan(startedAt + 2 * 86_400_000 - 1_000);
});

it.each([
  [[], "missing required argument 'user'"],
  [['alice', 'bob'], 'too many arguments'],
  [['not a user'], 'not a user id'],
  [['alice', '--ttl', 'soon'], 'not a duration'],
  [['alice', '--ttl', '0s'], 'not a duration'],
  [['alice', '--no-such'], "unknown option '--no-such'"],
])('refuses %j with 64', async (args, words) => {
  const { code, out, err } = await callCli(['token', ...args], { env });
  expect({ code, out }).toEqual({ code: 64, out: '' });
  expect(err).toContain(words);
});

it('ends with 78 without a secret, and with one that the services would refuse', async () => {
  const none = await runCli(['token', 'alice']);
  expect(none).toMatchObject({ code: 78, out: '', err: expect.stringContaining('AUTH_JWT_SECRET') });
  const short = await callCli(['token', 'alice'], { env: { AUTH_JWT_SECRET: 'hush' } });
  expect(short).toMatchObject({ code: 78, out: '', err: expect.stringContaining('32 bytes') });
  expect(short.err).not.toContain('hush');
});

it('takes the secret that npm start keeps in the folder, and says so', async () => {
  mkdirSync(join(folder, '.posthorn'));
  writeFileSync(join(folder, '.posthorn', 'dev.env'), `AUTH_JWT_SECRET=${secret}\n`);
  const { code, out, err } = await runCli(['token', 'bob'], { cwd: folder });
  expect(code).toBe(0);
  expect(err).toContain(join('.posthorn', 'dev.env'));
  const { user } = await new TokenVerifier({ auth: { secret } }).verify(out.trim());
  expect(user).toBe('bob');
});
