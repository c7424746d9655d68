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

const words = (...ids: string[]): string => ` ${ids.map((id) => `${id} `).join('')}`;

interface Call {
  live?: string;
  absent?: string;
  dead?: string;
  max?: number;
  ttlS?: number;
}

async function route(user: string, entries: string[], call: Call = {}): Promise<string[]> {
  const { live = ' ', absent = ' ', dead = ' ', max = 100, ttlS = 60 } = call;
  const [presence, offline] = [routing.keys.presence(user), routing.keys.offline(user)];
  return await process.redis.run([
    'posthornRoute',
    presence,
    offline,
    live,
    absent,
    dead,
    max,
    ttlS,
    ...entries,
  ]);
}

async function hold(user: string, ...gateways: string[]): Promise<void> {
  for (const gateway of gateways) await routing.client.hset(routing.keys.presence(user), gateway, 1);
}

async function listOf(user: string): Promise<string[]> {
  return await routing.client.lrange(routing.keys.offline(user), 0, -1);
}

test('§6: returns listed and appends, in order, when nobody holds the user', async () => {
  expect(await route('nobody', ['e1', 'e2'], { ttlS: 60 })).toEqual(['listed']);
  expect(await route('nobody', ['e3'])).toEqual(['listed']);
  expect(await listOf('nobody')).toEqual(['e1', 'e2', 'e3']);
  const ttl = await routing.client.ttl(routing.keys.offline('nobody'));
  expect(ttl).toBeGreaterThan(50);
  expect(ttl).toBeLessThanOrEqual(60);
});

test('§6: returns live with the gateways that hold the user, and leaves the list untouched', async () => {
  await hold('bob', 'g1', 'g2', 'g3');
  const [kind, ...ids] = await route('bob', ['e1'], { live: words('g2', 'g1', 'g9'), absent: words('g3') });
  expect(kind).toBe('live');
  expect(ids.sort()).toEqual(['g1', 'g2']);
  expect(await listOf('bob')).toEqual([]);
});

test('§6: returns unknown with the gateways to look up, and neither lists nor names the live ones', async () => {
  await hold('carol', 'g1', 'g2');
  expect(await route('carol', ['e1'], { live: words('g1') })).toEqual(['unknown', 'g2']);
  expect(await listOf('carol')).toEqual([]);
  expect(await routing.client.hkeys(routing.keys.presence('carol'))).toEqual(['g1', 'g2']);
});

test('§6: a gateway without a lease does not count, but what it said stays while it may come back', async () => {
  await hold('dave', 'g1');
  expect(await route('dave', ['e1'], { absent: words('g1') })).toEqual(['listed']);
  expect(await routing.client.hkeys(routing.keys.presence('dave'))).toEqual(['g1']);
});

test('§6: what a dead gateway said is removed on sight', async () => {
  await hold('erin', 'g1', 'g2');
  expect(await route('erin', ['e1'], { live: words('g2'), dead: words('g1') })).toEqual(['live', 'g2']);
  expect(await routing.client.hkeys(routing.keys.presence('erin'))).toEqual(['g2']);
  expect(await route('erin', ['e1'], { dead: words('g2') })).toEqual(['listed']);
  expect(await routing.client.exists(routing.keys.presence('erin'))).toBe(0);
});

test('§6: an id counts as a whole: g1 is neither g10 nor g', async () => {
  await hold('frank', 'g10', 'g');
  const [kind, ...ids] = await route('frank', ['e1'], { live: words('g1'), dead: words('g1') });
  expect([kind, ids.sort()]).toEqual(['unknown', ['g', 'g10']]);
});

test('§2: the list keeps the newest up to its cap', async () => {
  await route('grace', ['e1', 'e2', 'e3'], { max: 4 });
  await route('grace', ['e4', 'e5', 'e6'], { max: 4 });
  expect(await listOf('grace')).toEqual(['e3', 'e4', 'e5', 'e6']);
  await route('grace', ['e7', 'e8', 'e9'], { max: 2 });
  expect(await listOf('grace')).toEqual(['e8', 'e9']);
});

test('§2: each append renews the life of the list', async () => {
  await route('heidi', ['e1'], { ttlS: 10 });
  await route('heidi', ['e2'], { ttlS: 1_000 });
  expect(await routing.client.ttl(routing.keys.offline('heidi'))).toBeGreaterThan(900);
});

test('§6: a presence of another kind is nobody’s: returns listed', async () => {
  await routing.client.set(routing.keys.presence('ivan'), 'text');
  expect(await route('ivan', ['e1'])).toEqual(['listed']);
  expect(await listOf('ivan')).toEqual(['e1']);
});
