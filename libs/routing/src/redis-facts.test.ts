import type { RedisKind } from '@posthorn/protocol';
import { type OwnRedis, redisKinds, startOwnRedis } from '@posthorn/testing';
import { readRedisFacts } from './redis-facts';

describe.each(redisKinds)('%s', (kind: RedisKind) => {
  let own: OwnRedis;

  beforeAll(async () => {
    own = await startOwnRedis(kind);
  });

  afterAll(async () => {
    await own.stop();
  });

  it('§6.3: tells of every node that serves keys, and takes a write', async () => {
    const facts = await readRedisFacts(own.url, 'facts:');
    expect(facts).toMatchObject({ kind, writeError: null });
    expect(facts.nodes).toHaveLength(kind === 'cluster' ? 3 : 1);
    for (const { info, latenciesMs, clock } of facts.nodes) {
      expect(info).toMatchObject({ role: 'master', maxmemory_policy: 'noeviction' });
      expect(Math.max(...latenciesMs)).toBeLessThan(5_000);
      expect(Math.abs(clock.theirsMs - clock.oursMs)).toBeLessThan(1_000);
    }
    expect(facts.cluster).toEqual(kind === 'cluster' ? { state: 'ok', slotsOk: 16_384 } : null);
  });

  it('§6.3: passes on why it is out of reach', async () => {
    const nowhere = own.url.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:1');
    await expect(readRedisFacts(nowhere, 'facts:')).rejects.toThrow(
      kind === 'sentinel' ? /sentinel/i : /ECONNREFUSED/,
    );
  });
});

it('§6.3: tells what a Redis says that takes no writes', async () => {
  const own = await startOwnRedis('single');
  try {
    await own.servers[0]?.ask((redis) => redis.config('SET', 'maxmemory', '500kb'));
    expect(await readRedisFacts(own.url, 'facts:')).toMatchObject({
      writeError: expect.stringMatching(/^OOM/),
    });
    await own.servers[0]?.ask((redis) => redis.replicaof('127.0.0.1', 1));
    const { nodes, writeError } = await readRedisFacts(own.url, 'facts:');
    expect(nodes[0]?.info['role']).toBe('slave');
    expect(writeError).toMatch(/^READONLY/);
  } finally {
    await own.stop();
  }
});
