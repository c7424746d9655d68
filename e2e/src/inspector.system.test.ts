import { findChromium, openRedisClient } from '@posthorn/stack';
import { eventually, HANG_MS, hasTool } from '@posthorn/testing';
import { chromium } from 'playwright-core';
import { World } from './fixture';

const itWithChromium = hasTool('chromium') ? it : it.skip;

const TOKEN = 'an-admin-token-of-the-tests-32-bytes';

let world: World;

beforeAll(async () => {
  world = await World.start({ env: { ADMIN_TOKEN: TOKEN }, patientWith: ['postgres', 'redis'] });
});

afterAll(async () => {
  await world.stop();
});

interface Gateways {
  items: {
    gateway: string;
    state: string;
    about: { pid: number; connections: number; users: number } | null;
  }[];
}

async function inspect<T>(path: string, admin = world.sendApis[0]?.adminUrl, token = TOKEN): Promise<T> {
  const response = await fetch(`${admin}/inspect${path}`, { headers: { authorization: `Bearer ${token}` } });
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

it('§2.4: tells of all gateways and their connections, the same on every process', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  await world.connect(alice, { device: 'phone' }, 0);
  await world.connect(alice, { device: 'laptop' }, 1);
  await world.connect(bob, {}, 1);
  const admins = [...world.sendApis, ...world.gateways].map(({ adminUrl }) => adminUrl);
  for (const admin of admins) {
    const { items } = await eventually('what the leases say is fresh', async () => {
      const found = await inspect<Gateways>('/gateways', admin);
      return found.items.reduce((sum, { about }) => sum + (about?.connections ?? 0), 0) === 3 && found;
    });
    expect(items.map(({ state }) => state)).toEqual(['live', 'live']);
    expect(new Set(items.map(({ about }) => about?.pid))).toEqual(
      new Set(world.gateways.map(({ pid }) => pid)),
    );
    // A gateway that does not answer within a second is not found: a busy one is asked again.
    const views = await eventually('each gateway answers', () =>
      Promise.all(
        items.map(({ gateway }) =>
          inspect<{ connections: number; items: object[] }>(`/gateways/${gateway}/connections`, admin),
        ),
      ),
    );
    expect(new Set(views.map(({ connections }) => connections))).toEqual(new Set([1, 2]));
    expect(views.flatMap((view) => view.items)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          user: alice,
          device: 'phone',
          state: 'live',
          sent: 0,
          acknowledged: 0,
          newest: 0,
        }),
        expect.objectContaining({ user: alice, device: 'laptop' }),
        expect.objectContaining({ user: bob, device: 'default' }),
      ]),
    );
    const second = items.find(({ about }) => about?.connections === 2)?.gateway;
    const page = await eventually('it answers again', () =>
      inspect<{ items: object[] }>(`/gateways/${second}/connections?after=1&limit=1`, admin),
    );
    expect(page.items).toHaveLength(1);
  }
});

it('§2.4: tells of a user and of one message, whoever sent it, and why it is not further', async () => {
  const [alice, carol] = [world.user('alice'), world.user('carol')];
  const client = await world.connect(carol, { device: 'phone' });
  const { id } = await world.send(alice, carol, 'hello');
  await client.nextOf('message');
  const path = `/messages/${id}/delivery`;
  expect(await inspect(path)).toMatchObject({
    from: alice,
    items: [{ user: carol, seq: 1, state: 'waiting', devices: [{ device: 'phone', state: 'connected' }] }],
  });
  expect(await inspect(`/users/${carol}`, world.gateways[0]?.adminUrl)).toMatchObject({
    online: true,
    inbox: { newestSeq: 1 },
    offlineList: { entries: 0 },
    devices: [{ device: 'phone', cursor: 0, behind: 1, isConnected: true }],
  });
  client.send({ type: 'ack', seq: 1 });
  await eventually(
    'it is delivered',
    async () => (await inspect<{ items: { state: string }[] }>(path)).items[0]?.state === 'delivered',
  );
});

it('§2.4: a gateway that was killed leaves the list, and one after FLUSHALL is back', async () => {
  const killed = await world.addGateway();
  const pids = async () => (await inspect<Gateways>('/gateways')).items.map(({ about }) => about?.pid);
  await eventually('it is listed', async () => (await pids()).includes(killed.pid));
  killed.kill('SIGKILL');
  await eventually('it is gone', async () => !(await pids()).includes(killed.pid));
  const client = openRedisClient(world.redis.url);
  for (const key of await client.keys(`${world.redis.prefix}*`)) await client.del(key);
  client.disconnect();
  await eventually('all are back', async () => (await pids()).length === 2);
});

it.each([
  ['no token', '/gateways', '', 401],
  ['a wrong token', '/gateways', 'another-admin-token-of-the-tests-xx', 401],
  ['no such message', '/messages/019a5f3c-6c1e-7b52-9f0e-2f4a1f0c7d11/delivery', TOKEN, 404],
  ['no id', '/messages/nothing/delivery', TOKEN, 404],
  ['no such gateway', '/gateways/none/connections', TOKEN, 404],
  ['no user id', '/users/a%20b', TOKEN, 400],
  ['too many', '/gateways/none/connections?limit=501', TOKEN, 400],
])('§2.4: answers %s', async (_what, path, token, status) => {
  await expect(inspect(path, world.sendApis[0]?.adminUrl, token)).rejects.toThrow(`${status}: `);
});

it('§2.4: is off without ADMIN_TOKEN, and says what to do', async () => {
  const { adminUrl } = await world.addSendApi({ ADMIN_TOKEN: '' });
  await expect(inspect('/gateways', adminUrl)).rejects.toThrow(
    '404: {"type":"urn:posthorn:error:inspector_off"',
  );
});

it('§2.4: answers through the primary of several workers', async () => {
  const service = await world.addSendApi({ WORKERS: '2' });
  await eventually('it tells of both gateways', async () => {
    const { items } = await inspect<Gateways>('/gateways', service.adminUrl);
    return items.length === 2 && items.every(({ state }) => state === 'live');
  });
});

itWithChromium('shows it on a page, which loads nothing from elsewhere', async () => {
  const binary = await findChromium();
  const browser = await chromium.launch({
    executablePath: binary.command,
    env: { ...process.env, ...binary.env },
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
    timeout: HANG_MS,
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(HANG_MS);
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    const origin = world.gateways[0]?.adminUrl ?? '';
    const asked = new Set<string>();
    page.on('request', (request) => asked.add(new URL(request.url()).origin));
    await page.goto(`${origin}/inspect`);
    await page.fill('#token', TOKEN);
    await page.click('#token-form button');
    await page.waitForSelector('h2:has-text("2 gateways")');
    const user = world.user('dave');
    await world.send(user, user, '<b>hello</b>');
    await page.fill('#user', user);
    await page.click('#user-form button');
    await page.waitForSelector(`h2:has-text("${user} is offline")`);
    await page.waitForSelector('p:has-text("The inbox goes up to 1.")');
    await page.click('#copy');
    expect(await page.textContent('#curl')).toContain(`${origin}/inspect/users/${user}`);
    expect(faults).toEqual([]);
    expect([...asked]).toEqual([origin]);
  } finally {
    await browser.close();
  }
});
