import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { mainOf } from '@posthorn/stack';
import { root } from './docs/repository';

const migrate = join(root, 'libs', 'inbox', 'dist', 'migrate.js');
const good = {
  REDIS_URL: 'redis://127.0.0.1:1',
  AUTH_JWT_SECRET: 'x'.repeat(32),
  PORT: '0',
  ADMIN_PORT: '0',
};

describe.each([
  ['send-api', mainOf('send-api')],
  ['ws-gateway', mainOf('ws-gateway')],
  ['pnpm migrate', migrate],
])('%s', (_name, main) => {
  test.each([
    'postgres://us%zzer:hunter2@127.0.0.1:5/db',
    'postgres:hunter2',
    'mysql://u:hunter2@127.0.0.1/db',
    'postgres://u:hunter2@127.0.0.1/db?sslmode=bogus',
  ])(
    '§2.3: a DATABASE_URL that is none ends it with 78, the name, an example and no secret: %s',
    async (url) => {
      const env = { PATH: process.env['PATH'], ...good, DATABASE_URL: url };
      const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] });
      const [stdout, stderr, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'exit'),
      ]);
      expect(code).toBe(78);
      expect(stderr).toMatch(/ DATABASE_URL (has|must)/);
      expect(stderr).toContain('example: postgres://');
      expect(stdout + stderr).not.toContain('hunter2');
    },
  );
});
