import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadGatewaySettings, loadSendApiSettings } from './settings';
import {
  defaultOf,
  type ServiceName,
  type SettingName,
  settingOf,
  settingsCatalogue,
} from './settings-catalogue';
import { type SettingProblem, SettingsError } from './settings-error';
import type { AllowedOrigins } from './settings-readers';

const required = {
  DATABASE_URL: 'postgres://u:hunter2@localhost:5432/db',
  REDIS_URL: 'redis://:hunter2@localhost:6379',
  AUTH_JWT_SECRET: 'x'.repeat(32),
};
const names = Object.keys(settingsCatalogue).filter((name): name is SettingName => name in settingsCatalogue);
const loaders = { 'send-api': loadSendApiSettings, 'ws-gateway': loadGatewaySettings };
const services: readonly ServiceName[] = ['send-api', 'ws-gateway'];

function errorOf(env: Record<string, string | undefined>, service: ServiceName = 'send-api'): SettingsError {
  try {
    loaders[service](env);
  } catch (error) {
    if (error instanceof SettingsError) {
      return error;
    }
    throw error;
  }
  throw new Error('the settings were accepted');
}

function problemsWith(env: Record<string, string | undefined>): readonly SettingProblem[] {
  return errorOf({ ...required, ...env }).problems;
}

function isRefused(service: ServiceName, name: SettingName): boolean {
  try {
    loaders[service]({ ...required, [name]: '\0' });
    return false;
  } catch {
    return true;
  }
}

function originsOf(text: string): AllowedOrigins {
  return loadSendApiSettings({ ...required, ALLOWED_ORIGINS: text }).allowedOrigins;
}

describe('send-api', () => {
  it('has the defaults of the reference', () => {
    expect(loadSendApiSettings(required)).toEqual({
      port: 3000,
      adminPort: 9300,
      databaseUrl: required.DATABASE_URL,
      databaseConnections: 10,
      redisUrl: required.REDIS_URL,
      redisPrefix: 'posthorn:',
      auth: { secret: required.AUTH_JWT_SECRET },
      allowedOrigins: [],
      drainMs: 10_000,
      workers: 1,
      logLevel: 'info',
      maxRecipients: 1000,
      maxTextChars: 8192,
      maxDataBytes: 16_384,
      maxBodyBytes: 262_144,
      offlineListMax: 1000,
      offlineListTtlS: 604_800,
      rateLimitSends: 50,
    });
  });
});

describe('ws-gateway', () => {
  it('has the defaults of the reference', () => {
    expect(loadGatewaySettings(required)).toEqual({
      port: 3001,
      adminPort: 9301,
      databaseUrl: required.DATABASE_URL,
      databaseConnections: 10,
      redisUrl: required.REDIS_URL,
      redisPrefix: 'posthorn:',
      auth: { secret: required.AUTH_JWT_SECRET },
      allowedOrigins: [],
      drainMs: 10_000,
      workers: 1,
      logLevel: 'info',
      reconcileIntervalMs: 15_000,
      deliveryWindow: 256,
      heartbeatMs: 25_000,
      upgradeTimeoutMs: 5000,
      maxConnectionsPerUser: 20,
      maxBufferedBytes: 1_048_576,
      slowConsumerMs: 30_000,
      rateLimitFrames: 100,
    });
  });
});

describe('every setting', () => {
  it.each(services)('of %s in the catalogue is read by it, and no other', (service) => {
    for (const name of names) {
      // No kind of setting accepts a NUL, except the two that take any text.
      const reads =
        settingOf(name).kind === 'text'
          ? JSON.stringify(loaders[service]({ ...required, [name]: 'marker' })).includes('marker')
          : isRefused(service, name);
      expect([name, reads]).toEqual([name, settingOf(name).services.includes(service)]);
    }
  });

  it.each(services)('of %s accepts its example and its default', (service) => {
    for (const name of names.filter((each) => settingOf(each).services.includes(service))) {
      const { AUTH_JWT_SECRET: _secret, ...others } = required;
      const env = name === 'AUTH_JWKS_URL' ? others : required;
      const other = name === 'PORT' ? { ADMIN_PORT: '0' } : { PORT: '0' };
      expect(() => loaders[service]({ ...env, ...other, [name]: settingOf(name).example })).not.toThrow();
      const byDefault = defaultOf(name, service);
      expect(() => loaders[service]({ ...required, ...(byDefault && { [name]: byDefault }) })).not.toThrow();
    }
  });
});

describe('the result', () => {
  it('is deeply frozen and pure', () => {
    const env = { ...required, ALLOWED_ORIGINS: 'https://a.example' };
    const settings = loadSendApiSettings(env);
    expect(Object.isFrozen(settings)).toBe(true);
    expect(Object.isFrozen(settings.auth)).toBe(true);
    expect(Object.isFrozen(settings.allowedOrigins)).toBe(true);
    expect(Object.isFrozen(loadSendApiSettings(required).allowedOrigins)).toBe(true);
    expect(loadSendApiSettings(env)).toEqual(settings);
  });

  it('ignores unknown variables, NODE_ENV among them', () => {
    expect(loadSendApiSettings({ ...required, NODE_ENV: 'test', MAX_RECIPIENT: '5' }).maxRecipients).toBe(
      1000,
    );
  });

  it('takes an empty value for unset', () => {
    const settings = loadSendApiSettings({ ...required, PORT: '', AUTH_JWKS_URL: '', ALLOWED_ORIGINS: '' });
    expect(settings).toEqual(loadSendApiSettings(required));
  });

  it('takes port 0 for both ports, and a drain of 0', () => {
    const settings = loadSendApiSettings({ ...required, PORT: '0', ADMIN_PORT: '0', DRAIN_MS: '0' });
    expect([settings.port, settings.adminPort, settings.drainMs]).toEqual([0, 0, 0]);
  });
});

describe('REDIS_URL', () => {
  it.each([
    'redis://u:p@h:6379/1',
    'rediss://h',
    'redis+cluster://h1:6379,h2:6379',
    'rediss+cluster://:p@h1',
    'redis+sentinel://h1:26379,h2:26379/main',
    'rediss+sentinel://u:p@h1/main?db=1',
  ])('is one Redis, sentinels or a Cluster: %s', (url) => {
    expect(loadSendApiSettings({ ...required, REDIS_URL: url }).redisUrl).toBe(url);
  });
});

describe('bad settings', () => {
  it('are all reported at once, each with an example', () => {
    const error = errorOf({ DATABASE_URL: '', PORT: 'eighty', LOG_LEVEL: 'loud', MAX_RECIPIENTS: '0' });
    expect(error.problems.map(({ name }) => name).sort()).toEqual([
      'AUTH_JWT_SECRET',
      'DATABASE_URL',
      'LOG_LEVEL',
      'MAX_RECIPIENTS',
      'PORT',
      'REDIS_URL',
    ]);
    for (const { name, detail, example } of error.problems) {
      expect(error.message).toContain(`${name} ${detail}`);
      expect(error.message).toContain(`example: ${example}`);
    }
  });

  it('never show a credential', () => {
    const error = errorOf({
      DATABASE_URL: 'mysql://u:hunter2@host/db',
      REDIS_URL: 'http://u:hunter2@host',
      AUTH_JWT_SECRET: 'hunter2',
      AUTH_JWKS_URL: 'https://u:hunter2@host/jwks',
      ALLOWED_ORIGINS: 'https://u:hunter2@host',
      REDIS_PREFIX: 'redis://u:hunter2@host/{x}',
    });
    expect(error.problems.map(({ name }) => name).sort()).toEqual([
      'ALLOWED_ORIGINS',
      'AUTH_JWKS_URL',
      'AUTH_JWKS_URL',
      'AUTH_JWT_SECRET',
      'DATABASE_URL',
      'REDIS_PREFIX',
      'REDIS_URL',
    ]);
    expect(error.message + JSON.stringify(error.problems)).not.toContain('hunter2');
  });

  it.each([
    '1e3',
    '0x10',
    '1.0',
    '1.5',
    ' 7',
    '7 ',
    '-1',
    '+7',
    '1_000',
    '9'.repeat(30),
    'NaN',
    'Infinity',
    '٣',
  ])('are integers like %j', (text) => {
    expect(problemsWith({ DRAIN_MS: text }).map(({ name }) => name)).toEqual(['DRAIN_MS']);
  });

  it('are integers beyond their bounds', () => {
    for (const name of names.filter((each) => settingOf(each).kind === 'integer')) {
      const { minimum, maximum, services: readers } = settingOf(name);
      const service = readers[0] ?? 'send-api';
      for (const value of [(minimum ?? Number.NaN) - 1, (maximum ?? Number.NaN) + 1]) {
        const { problems } = errorOf({ ...required, [name]: String(value) }, service);
        expect(problems.map((found) => found.name)).toEqual([name]);
      }
    }
  });

  it.each([
    'postgres',
    'postgres:foo',
    'mysql://h/db',
    'postgres:/ h',
    'localhost:5432',
    ' postgres://h/db',
    'postgres://us%zzer:pw@h/db',
    'postgres://h/db?sslmode=bogus',
  ])('are database URLs like %j', (url) => {
    expect(problemsWith({ DATABASE_URL: url }).map(({ name }) => name)).toEqual(['DATABASE_URL']);
  });

  it.each([
    'redis',
    'redis://',
    'redis:///0',
    'http://h',
    'redis://h1:6379,h2:6379',
    'redis://h/zero',
    'redis+cluster://',
    'redis+cluster://h/1',
    'redis+sentinel://h1:26379',
  ])('are Redis URLs like %j', (url) => {
    expect(problemsWith({ REDIS_URL: url })).toEqual([
      { name: 'REDIS_URL', detail: expect.any(String), example: 'redis://localhost:6379' },
    ]);
  });

  it.each(['a{b', 'a}b', 'a b', 'a*', 'é', 'a'.repeat(65)])('are prefixes like %j', (prefix) => {
    expect(problemsWith({ REDIS_PREFIX: prefix })[0]?.name).toBe('REDIS_PREFIX');
  });

  it('are two key sources, or a short secret, counted in bytes', () => {
    expect(problemsWith({ AUTH_JWKS_URL: 'https://h/jwks' })[0]?.detail).toContain('exactly one');
    expect(problemsWith({ AUTH_JWT_SECRET: 'x'.repeat(31) })[0]?.detail).toContain('32 bytes');
    expect(loadSendApiSettings({ ...required, AUTH_JWT_SECRET: 'é'.repeat(16) }).auth.secret).toBe(
      'é'.repeat(16),
    );
  });

  it.each(['ftp://h/jwks', 'h/jwks', 'file:///etc/keys'])('are key set URLs like %j', (url) => {
    expect(problemsWith({ AUTH_JWT_SECRET: '', AUTH_JWKS_URL: url }).map(({ name }) => name)).toEqual([
      'AUTH_JWKS_URL',
    ]);
  });

  it('are two ports that are the same, whatever they are spelled like', () => {
    expect(problemsWith({ PORT: '9300' })[0]?.name).toBe('ADMIN_PORT');
    expect(problemsWith({ PORT: '0080', ADMIN_PORT: '80' })[0]?.name).toBe('ADMIN_PORT');
  });
});

describe('ALLOWED_ORIGINS', () => {
  it('is * or a list', () => {
    expect(originsOf('*')).toBe('*');
    expect(originsOf('https://a.example, http://localhost:5173,https://a.example')).toEqual([
      'https://a.example',
      'http://localhost:5173',
    ]);
    expect(originsOf('capacitor://localhost')).toEqual(['capacitor://localhost']);
  });

  it.each([
    'https://a.example/',
    'https://a.example/x',
    'https://a.example:443',
    'HTTPS://a.example',
    'https://A.example',
    'a.example',
    'null',
    '*,https://a.example',
    'https://*.example',
    'https://a.example,',
    'capacitor://localhost/',
  ])('is not %s', (text) => {
    expect(problemsWith({ ALLOWED_ORIGINS: text })[0]?.name).toBe('ALLOWED_ORIGINS');
  });
});

describe('what may hold a credential', () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-settings-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  it.each(services)('can be in a file in place of the environment: %s', (service) => {
    const files = Object.entries({ ...required, ADMIN_TOKEN: 'y'.repeat(40) }).map(([name, text]) => [
      `${name}_FILE`,
      file(name, `${text}\n`),
    ]);
    expect(loaders[service](Object.fromEntries(files))).toMatchObject({
      databaseUrl: required.DATABASE_URL,
      redisUrl: required.REDIS_URL,
      auth: { secret: required.AUTH_JWT_SECRET },
      adminToken: 'y'.repeat(40),
    });
  });

  it('is checked like any other, and a file that cannot be read is one problem of its setting', () => {
    const { DATABASE_URL: _url, AUTH_JWT_SECRET: _secret, ...rest } = required;
    const error = errorOf({
      ...rest,
      DATABASE_URL_FILE: file('bad', 'mysql://u:hunter2@h/d'),
      AUTH_JWT_SECRET_FILE: join(folder, 'none'),
      REDIS_URL_FILE: file('redis', 'redis://:hunter2@h'),
    });
    expect(error.problems.map(({ name, detail }) => [name, detail])).toEqual([
      ['REDIS_URL', 'is set beside REDIS_URL_FILE: set one of the two'],
      [
        'AUTH_JWT_SECRET',
        expect.stringContaining('AUTH_JWT_SECRET_FILE, but that file cannot be read (ENOENT)'),
      ],
      ['DATABASE_URL', expect.stringContaining('must be')],
    ]);
    expect(error.message).not.toContain('hunter2');
  });

  it('is nothing else: a setting that holds none has no file', () => {
    const { port } = loadSendApiSettings({ ...required, PORT_FILE: file('port', '77') });
    expect(port).toBe(3000);
  });
});
