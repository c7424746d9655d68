import { eventually } from '@posthorn/testing';
import { World } from './fixture';

interface Report {
  items: {
    state: string;
    why: string;
    gateways: string[] | null;
    isListed: boolean | null;
    devices: { device: string; state: string; why: string; gateway: string | null }[];
  }[];
}

let world: World;

beforeAll(async () => {
  world = await World.start({ ownRedis: 'single', patientWith: ['postgres'] });
});

afterAll(() => world.stop());

async function reportOf(id: string): Promise<Report['items'][number]> {
  const { status, body } = await world.ask<Report>('alice', `/v1/messages/${id}/delivery`);
  expect(status).toBe(200);
  const [item] = body.items;
  if (item === undefined) throw new Error('a report without a recipient');
  return item;
}

test('the life of a message is told as it goes: waiting, connected, acknowledged, read, and with a gateway or Redis gone', async () => {
  const phone = await world.connect('bob', { device: 'phone' }, 0);
  const tablet = await world.connect('bob', { device: 'tablet' }, 1);
  await Promise.all([phone.nextOf('caughtUp'), tablet.nextOf('caughtUp')]);
  const { id } = await world.send('alice', 'bob', 'hello');
  await Promise.all([phone.nextOf('message'), tablet.nextOf('message')]);

  const sent = await reportOf(id);
  expect(sent).toMatchObject({ state: 'waiting', isListed: false });
  expect(sent.gateways).toHaveLength(2);
  expect(sent.devices.map(({ state }) => state)).toEqual(['connected', 'connected']);
  expect(sent.why).toContain('connected and has not acknowledged');

  phone.send({ type: 'ack', seq: 1, ref: 1 });
  await phone.nextOf('ok');
  const delivered = await reportOf(id);
  expect(delivered.state).toBe('delivered');
  expect(delivered.devices.map(({ state }) => state)).toEqual(['acknowledged', 'connected']);

  world.gateways[1]?.kill('SIGKILL');
  const tabletGateway = sent.devices[1]?.gateway ?? '';
  await eventually('the killed gateway counts no more', async () => {
    const { devices } = await reportOf(id);
    return devices[1]?.state === 'offline' && devices[1].why.includes(`${tabletGateway} is gone`);
  });

  phone.send({ type: 'read', ids: [id], ref: 2 });
  await phone.nextOf('ok');
  expect((await reportOf(id)).state).toBe('read');

  await Promise.all((world.ownRedis?.servers ?? []).map((server) => server.kill()));
  const withoutRedis = await reportOf(id);
  expect(withoutRedis).toMatchObject({ state: 'read', gateways: null, isListed: null });
  expect(withoutRedis.devices.map(({ state }) => state)).toEqual(['acknowledged', 'unknown']);
});
