import { ClientError, httpClient, RefusedError } from '@posthorn/client';
import { FaultProxy } from '@posthorn/testing';
import { World } from './fixture';

let world: World;
let proxy: FaultProxy;

beforeAll(async () => {
  world = await World.start();
  proxy = await FaultProxy.open(world.sendApis[0]?.url);
});

afterAll(async () => {
  await proxy.close();
  await world.stop();
});

function clientOf(user: string, patienceMs = 10_000, scope?: string) {
  return httpClient({
    api: `http://127.0.0.1:${proxy.port}`,
    token: () => world.token(user, scope),
    patienceMs,
  });
}

it('§4.1: a send whose answer is lost is made again, and is one message', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  const client = clientOf(alice);
  proxy.mode = 'drop-replies';
  const sending = client.send({ to: bob, text: 'once' });
  // It has been accepted by now, and nobody was told.
  await new Promise((resolve) => setTimeout(resolve, 500));
  proxy.mode = 'pass';
  proxy.cut();
  const { id } = await sending;
  const { items, lastSeq } = await clientOf(bob).inbox();
  expect(lastSeq).toBe(1);
  expect(items[0]?.message).toMatchObject({ id, from: alice, text: 'once' });
});

it('§4: waits for a server that is away, and gives up when the patience is over', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  const port = Number(new URL(world.sendApis[0]?.url ?? '').port);
  proxy.retarget(null);
  proxy.cut();
  const sending = clientOf(alice).send({ to: bob, text: 'later' });
  await expect(clientOf(alice, 1_000).send({ to: bob, text: 'never' })).rejects.toThrow(ClientError);
  proxy.retarget(port);
  expect(await sending).toMatchObject({ text: 'later' });
});

it('§4.7: what is refused is refused at once, and says why', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  const client = clientOf(alice, 60_000);
  const refused = await client.send({ to: [], text: '' }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(RefusedError);
  expect(refused).toMatchObject({ problem: { status: 422, code: 'invalid_message' } });
  const stranger = httpClient({ api: `http://127.0.0.1:${proxy.port}`, token: async () => 'no.good.token' });
  await expect(stranger.inbox()).rejects.toMatchObject({ problem: { status: 401, code: 'unauthorized' } });
  await expect(client.send({ from: bob, to: bob, text: 'x' })).rejects.toMatchObject({
    problem: { code: 'forbidden_from' },
  });
  await expect(client.send({ to: bob, text: 'x' }, { key: 'two words' })).rejects.toThrow(TypeError);
});

it('§4: sends for somebody else, tells of receipts and presence, marks more as read than fit one request', async () => {
  const [backend, alice, bob] = [world.user('backend'), world.user('alice'), world.user('bob')];
  const sender = clientOf(backend, 10_000, 'send:as');
  const ids: string[] = [];
  for (let n = 0; n < 120; n += 1) ids.push((await sender.send({ from: alice, to: [bob], data: { n } })).id);
  const receiver = clientOf(bob);
  await receiver.read(ids);
  const last = ids.at(-1) ?? '';
  expect(await clientOf(alice).receipts(last)).toEqual([
    { user: bob, deliveredAt: expect.any(String), readAt: expect.any(String) },
  ]);
  expect(await receiver.message(last)).toMatchObject({ from: alice, data: { n: 119 } });
  expect(await receiver.presence([bob])).toEqual([{ user: bob, online: false, lastSeenAt: null }]);
  expect(await clientOf(alice).get(`/v1/messages/${last}/delivery`)).toMatchObject({
    from: alice,
    recipients: 1,
  });
});

it('ends what it waits for when it is closed', async () => {
  const port = Number(new URL(world.sendApis[0]?.url ?? '').port);
  proxy.retarget(null);
  proxy.cut();
  const client = clientOf(world.user('alice'), 60_000);
  const sending = client.send({ to: 'bob', text: 'x' });
  await new Promise((resolve) => setTimeout(resolve, 300));
  client.close();
  await expect(sending).rejects.toThrow(ClientError);
  proxy.retarget(port);
});
