import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { effectiveSettings, masked } from './effective-settings.ts';
import { Environment } from './environment.ts';
import { CliError } from './exit.ts';

test.each([
  ['postgres://u:hush@host:5432/db', 'postgres://***@host:5432/db'],
  ['postgres://host/db?sslmode=require&password=hush', 'postgres://host/db?***'],
  ['redis://:hush@host', 'redis://***@host'],
  ['redis+sentinel://:hush@h1:1,h2:2/main', 'redis+sentinel://***@h1:1,h2:2/main'],
  // Not as they should be written, and not to be told for that.
  ['redis://u:hu@sh@host', 'redis://***@host'],
  ['postgres://u:hu/sh@host/db', 'postgres://***@host/db'],
  ['postgres://u:hu?sh@host/db', 'postgres://***@host/db'],
  ['postgres://u:hu#s@h@host/db?x=hush', 'postgres://***@host/db?***'],
  ['postgres://u:hu\nsh@host', 'postgres://***@host'],
  ['hush', '(4 bytes, not shown)'],
])('shows nothing secret of %j', (value, shown) => {
  expect(masked(value)).toBe(shown);
  expect(masked(value)).not.toContain('hush');
});

test('§2.3: a setting in a file is told with the file, and counts before what npm start left', () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-cli-'));
  try {
    const [secret, settings] = [join(folder, 'secret'), join(folder, 'dev.env')];
    writeFileSync(secret, `${'s'.repeat(40)}\n`);
    writeFileSync(settings, `AUTH_JWT_SECRET=${'d'.repeat(32)}\nREDIS_URL=redis://h\n`);
    const env = Environment.read(
      { AUTH_JWT_SECRET_FILE: secret, DATABASE_URL_FILE: join(folder, 'none'), AUTH_ISSUER_FILE: secret },
      folder,
      settings,
    );
    expect(env.get('AUTH_JWT_SECRET')).toBe('s'.repeat(40));
    expect(() => env.get('DATABASE_URL')).toThrow(CliError);
    const told = effectiveSettings(env, 'send-api');
    expect(told.filter(({ problem }) => problem !== undefined).map(({ name }) => name)).toEqual([
      'DATABASE_URL',
    ]);
    expect(told.find(({ name }) => name === 'AUTH_JWT_SECRET')).toEqual({
      name: 'AUTH_JWT_SECRET',
      value: '(40 bytes, not shown)',
      source: secret,
    });
    expect(told.find(({ name }) => name === 'AUTH_ISSUER')).toMatchObject({ value: null, source: 'unset' });
    expect(told.find(({ name }) => name === 'REDIS_URL')).toMatchObject({ source: settings });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
