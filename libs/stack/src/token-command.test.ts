import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jwtVerify } from 'jose';
import { devSecretFile, keepDevSecret } from './dev-secret';
import { tokenCommand } from './token-command';

const secret = 'a secret of the tests, 32 bytes or more';
const folder = mkdtempSync(join(tmpdir(), 'posthorn-token-'));
const nowhere = join(folder, 'nowhere');
afterAll(() => rmSync(folder, { recursive: true }));

async function claims(token: string, key = secret): Promise<Record<string, unknown>> {
  const { payload } = await jwtVerify(token.trim(), new TextEncoder().encode(key), { algorithms: ['HS256'] });
  return payload;
}

it('prints a token of the user, good for an hour', async () => {
  const { code, out, err } = await tokenCommand(['alice'], { AUTH_JWT_SECRET: secret }, nowhere);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const { sub, iat, exp, scope } = await claims(out);
  expect({ sub, scope }).toEqual({ sub: 'alice', scope: undefined });
  expect(Number(exp) - Number(iat)).toBe(3_600);
});

it('takes a ttl, a scope, an issuer and an audience', async () => {
  const env = { AUTH_JWT_SECRET: secret, AUTH_ISSUER: 'me', AUTH_AUDIENCE: 'you' };
  const { out } = await tokenCommand(['alice', '--ttl', '2d', '--scope', 'send:as more'], env, nowhere);
  const { iat, exp, ...rest } = await claims(out);
  expect(rest).toEqual({ sub: 'alice', scope: 'send:as more', iss: 'me', aud: 'you' });
  expect(Number(exp) - Number(iat)).toBe(2 * 86_400);
});

it.each([
  [[], 'USER is missing'],
  [['alice', 'bob'], 'one USER'],
  [['not a user'], 'not a user id'],
  [['alice', '--ttl', 'soon'], 'not a duration'],
  [['alice', '--ttl', '0s'], 'not a duration'],
  [['alice', '--no-such'], '--no-such'],
])('refuses %j with 64 and its usage', async (args, words) => {
  const { code, out, err } = await tokenCommand(args, { AUTH_JWT_SECRET: secret }, nowhere);
  expect({ code, out }).toEqual({ code: 64, out: '' });
  expect(err).toContain(words);
  expect(err).toContain('usage: pnpm token USER');
});

it('stops with 78 without a secret, and with one that the services would refuse', async () => {
  const none = await tokenCommand(['alice'], {}, nowhere);
  expect(none).toMatchObject({ code: 78, out: '', err: expect.stringContaining('AUTH_JWT_SECRET') });
  const short = await tokenCommand(['alice'], { AUTH_JWT_SECRET: 'short' }, nowhere);
  expect(short).toMatchObject({ code: 78, out: '', err: expect.stringContaining('32 bytes') });
  expect(short.err).not.toContain('short\n');
});

it('takes the secret that npm start keeps for itself, and says so', async () => {
  const kept = keepDevSecret(folder);
  expect(keepDevSecret(folder)).toBe(kept);
  expect(statSync(devSecretFile(folder)).mode & 0o777).toBe(0o600);
  const { code, out, err } = await tokenCommand(['bob'], {}, folder);
  expect(code).toBe(0);
  expect(err).toContain(devSecretFile(folder));
  expect(await claims(out, kept)).toMatchObject({ sub: 'bob' });
});
