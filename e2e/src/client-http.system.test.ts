import { ClientError, httpClient, RefusedError } from '@posthorn/client';
import { eventually, FaultProxy } from '@posthorn/testing';
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

/** Patient beyond the end of any test, unless the end of its patience is the subject. */
function clientOf(user: string, patienceMs = 600_000, scope?: string) {
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
  // It is accepted, and nobody is told.
  await eventually(
    'accepted',
    async () => (await world.ask<{ lastSeq: number }>(bob, '/v1/inbox')).body.lastSeq === 1,
  );
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
  const client = clientOf(alice);
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
  const sender = clientOf(backend, undefined, 'send:as');
  const ids: string[] = [];
  for (let n = 0; n < 101; n += 1) ids.push((await sender.send({ from: alice, to: [bob], data: { n } })).id);
  const receiver = clientOf(bob);
  await receiver.read(ids);
  const last = ids.at(-1) ?? '';
  expect(await clientOf(alice).receipts(last)).toEqual([
    { user: bob, deliveredAt: expect.any(String), readAt: expect.any(String) },
  ]);
  expect(await receiver.message(last)).toMatchObject({ from: alice, data: { n: 100 } });
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
  const { refused } = proxy.counts;
  const client = clientOf(world.user('alice'));
  const sending = client.send({ to: 'bob', text: 'x' });
  await eventually('it was tried', () => proxy.counts.refused > refused);
  client.close();
  await expect(sending).rejects.toThrow(ClientError);
  proxy.retarget(port);
});
