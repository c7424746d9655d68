import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintToken } from '@posthorn/runtime';
import { isAlive } from './command-of';
import { startService } from './service-process';
import { startStack } from './stack';
import { playStory } from './story';

const { POSTHORN_TEST_REDIS_URL: redisUrl = '' } = process.env;
const secret = 'a secret of the tests, 32 bytes or more';
const env = { AUTH_JWT_SECRET: secret, REDIS_PREFIX: 'stack-test:', DRAIN_MS: '500' };
const dir = mkdtempSync(join(tmpdir(), 'posthorn-stack-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('starts all of it, plays the story twice on the same data, and stops all of it', async () => {
  const stack = await startStack({ dir, redisUrl, env });
  const pids = [...stack.sendApis, ...stack.wsGateways].map(({ pid }) => pid);
  expect(pids).toHaveLength(4);
  const tokens = {
    alice: await mintToken({ user: 'alice', secret }),
    bob: await mintToken({ user: 'bob', secret }),
  };
  const sentences: string[] = [];
  for (const _time of ['first', 'second']) {
    await playStory({
      stack,
      redisPrefix: env.REDIS_PREFIX,
      tokens,
      step: (sentence, work) => {
        sentences.push(sentence);
        return work(() => {});
      },
    });
  }
  expect(sentences).toHaveLength(16);
  await stack.stop();
  expect([...pids, stack.postgres?.pid ?? 0].filter(isAlive)).toEqual([]);
});

it('leaves nothing running when a service does not start, and passes its words on', async () => {
  const failing = startStack({ dir, redisUrl, env: { ...env, MAX_RECIPIENTS: 'many' } });
  await expect(failing).rejects.toThrow('MAX_RECIPIENTS');
  // Would fail on a data folder that is still in use.
  const stack = await startStack({ dir, redisUrl, env, sendApis: 1, wsGateways: 0 });
  await stack.stop();
});

it('reports how a service ended', async () => {
  const stack = await startStack({ dir, redisUrl, env, sendApis: 0, wsGateways: 0 });
  const settings = { ...env, DATABASE_URL: stack.databaseUrl, REDIS_URL: redisUrl };
  const gateway = await startService('ws-gateway', settings);
  expect(gateway.wsUrl).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/v1\/connect$/);
  expect(gateway.logs().join('\n')).toContain('"listening"');
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  const api = await startService('send-api', settings);
  api.kill('SIGKILL');
  expect(await api.exited).toEqual({ code: null, signal: 'SIGKILL' });
  await stack.stop();
});
