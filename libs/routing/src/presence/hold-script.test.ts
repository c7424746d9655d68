import { openTestRouting, type TestProcess, type TestRouting } from '../../test/routing-fixture';

let routing: TestRouting;
let process: TestProcess;

beforeAll(async () => {
  routing = openTestRouting();
  process = await routing.start();
});

afterAll(async () => {
  await routing.close();
});

async function hold(
  user: string,
  gateway: string,
  count: number,
  ttlS = 60,
): Promise<Record<string, string>> {
  const flat = await process.redis.run(['posthornHold', routing.keys.presence(user), gateway, count, ttlS]);
  return Object.fromEntries(
    flat.flatMap((id, index) => (index % 2 === 0 ? [[id, flat[index + 1] ?? '']] : [])),
  );
}

test('§6: returns the whole hash after the change; each gateway sets its own field', async () => {
  expect(await hold('bob', 'g1', 2)).toEqual({ g1: '2' });
  expect(await hold('bob', 'g2', 1)).toEqual({ g1: '2', g2: '1' });
  expect(await hold('bob', 'g1', 1)).toEqual({ g1: '1', g2: '1' });
});

test('§6: the count is absolute: saying it twice is harmless', async () => {
  await hold('carol', 'g1', 3);
  expect(await hold('carol', 'g1', 3)).toEqual({ g1: '3' });
  expect(await hold('carol', 'g1', 0)).toEqual({});
  expect(await hold('carol', 'g1', 0)).toEqual({});
});

test('§6: holding none removes the own field only, and with the last one the hash', async () => {
  await hold('dave', 'g1', 1);
  await hold('dave', 'g2', 1);
  expect(await hold('dave', 'g1', 0)).toEqual({ g2: '1' });
  expect(await hold('dave', 'g2', 0)).toEqual({});
  expect(await routing.client.exists(routing.keys.presence('dave'))).toBe(0);
});

test('§6: holding some renews the life of the hash', async () => {
  await hold('erin', 'g1', 1, 10);
  await hold('erin', 'g2', 1, 1_000);
  expect(await routing.client.ttl(routing.keys.presence('erin'))).toBeGreaterThan(900);
});

test('§6: a key of another kind is replaced, so that it does not stay for ever', async () => {
  await routing.client.set(routing.keys.presence('frank'), 'text');
  expect(await hold('frank', 'g1', 1)).toEqual({ g1: '1' });
});
