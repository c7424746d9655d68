import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settingOf, settingsCatalogue } from '@posthorn/runtime';
import { callCli } from './cli.fixture';

interface Config {
  service: string;
  settings: {
    name: keyof typeof settingsCatalogue;
    value: string | null;
    source: string;
    problem?: string;
  }[];
}

const folder = mkdtempSync(join(tmpdir(), 'posthorn-cli-'));
const file = join(folder, 'posthorn.env');
const env = {
  DATABASE_URL: 'postgres://posthorn:hush-one@db.example:5432/posthorn',
  AUTH_JWT_SECRET: 'hush-two, a secret of the tests, 32 bytes or more',
};
writeFileSync(file, 'REDIS_URL=redis://:hush-three@cache.example:6379\nWORKERS=3\nDRAIN_MS=1\n');
afterAll(() => rmSync(folder, { recursive: true }));

it.each(['send-api', 'ws-gateway'] as const)(
  'tells every setting of %s, and where it is from',
  async (service) => {
    const args = ['config', service, '--json', '--settings', file];
    const { code, out, err } = await callCli(args, { env: { ...env, DRAIN_MS: '2' } });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { settings } = JSON.parse(out) as Config;
    const names = Object.keys(settingsCatalogue) as Config['settings'][number]['name'][];
    expect(settings.map(({ name }) => name)).toEqual(
      names.filter((name) => settingOf(name).services.includes(service)),
    );
    const told = Object.fromEntries(settings.map(({ name, value, source }) => [name, [value, source]]));
    expect(told).toMatchObject({
      DATABASE_URL: ['postgres://***@db.example:5432/posthorn', 'environment'],
      REDIS_URL: ['redis://***@cache.example:6379', file],
      AUTH_JWT_SECRET: ['(49 bytes, not shown)', 'environment'],
      AUTH_JWKS_URL: [null, 'unset'],
      WORKERS: ['3', file],
      DRAIN_MS: ['2', 'environment'],
      PORT: [service === 'send-api' ? '3000' : '3001', 'default'],
    });
    expect(out).not.toContain('hush');
  },
);

it('says all that is wrong at once, and ends with 78', async () => {
  const bad = {
    ...env,
    REDIS_URL: 'http://nowhere',
    WORKERS: 'many',
    AUTH_JWKS_URL: 'https://login.example/keys?key=hush',
  };
  const { code, out, err } = await callCli(['config', 'send-api'], { env: bad });
  expect(code).toBe(78);
  for (const name of ['REDIS_URL', 'WORKERS', 'AUTH_JWKS_URL'])
    expect(err).toMatch(new RegExp(`^${name} .*For example: `, 'm'));
  expect(out + err).not.toContain('hush');
});

it('refuses a service that there is not, and a file that cannot be read', async () => {
  expect(await callCli(['config', 'postgres'], { env })).toMatchObject({ code: 64, out: '' });
  const missing = await callCli(['config', 'send-api', '--settings', join(folder, 'none')], { env });
  expect(missing).toMatchObject({ code: 74, out: '', err: expect.stringContaining('ENOENT') });
});
