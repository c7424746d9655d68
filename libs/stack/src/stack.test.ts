import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintToken } from '@posthorn/runtime';
import { isAlive } from './process/command-of';
import { type Stack, startStack } from './stack';
import { playStory } from './story/story';

const { POSTHORN_TEST_REDIS_URL: redisUrl = '' } = process.env;
const secret = 'a secret of the tests, 32 bytes or more';
const env = { AUTH_JWT_SECRET: secret, REDIS_PREFIX: 'stack-test:', DRAIN_MS: '500' };
const dir = mkdtempSync(join(tmpdir(), 'posthorn-stack-'));
let stack: Stack;

afterAll(async () => {
  await stack.stop();
  rmSync(dir, { recursive: true, force: true });
});

it('leaves nothing running when a service does not start, and passes its words on', async () => {
  const failing = startStack({ dir, redisUrl, env: { ...env, MAX_RECIPIENTS: 'many' }, sendApis: 1 });
  await expect(failing).rejects.toThrow('MAX_RECIPIENTS');
  // Would fail on a data folder that is still in use.
  stack = await startStack({ dir, redisUrl, env });
});

it('plays the story twice on the same data', async () => {
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
});

it('reports how a service ended, and stops all of it', async () => {
  const services = [...stack.sendApis, ...stack.wsGateways];
  expect(services).toHaveLength(4);
  const [api, gateway] = [stack.sendApis[0], stack.wsGateways[0]];
  expect(gateway?.wsUrl).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/v1\/connect$/);
  expect(gateway?.logs().join('\n')).toContain('"listening"');
  expect(await gateway?.stop()).toEqual({ code: 0, signal: null });
  api?.kill('SIGKILL');
  expect(await api?.exited).toEqual({ code: null, signal: 'SIGKILL' });
  await stack.stop();
  const pids = [...services.map(({ pid }) => pid), stack.postgres?.pid ?? 0];
  expect(pids.filter(isAlive)).toEqual([]);
});
