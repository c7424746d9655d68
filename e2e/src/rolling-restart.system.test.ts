import { eventually, type TestClient } from '@posthorn/testing';
import { World } from './fixture';

let world: World;

beforeAll(async () => {
  world = await World.start({ patientWith: ['postgres', 'redis'] });
});

afterAll(() => world.stop());

describe('SIGTERM under traffic', () => {
  it('§5: a gateway says goodbye, closes with 1012, commits what was acknowledged, exits with 0; nothing is lost', async () => {
    const alice = world.user('alice');
    const users = Array.from({ length: 10 }, () => world.user('bob'));
    const clients = await Promise.all(users.map((user) => world.connect(user, {}, 0)));
    await Promise.all(clients.map((client) => client.nextOf('caughtUp')));

    const sending = new AbortController();
    const sent = new Map(users.map((user) => [user, 0]));
    const traffic = (async () => {
      while (!sending.signal.aborted) {
        await world.send(alice, users, 'rolling');
        for (const user of users) sent.set(user, (sent.get(user) ?? 0) + 1);
      }
    })();
    await eventually('traffic flows', () => clients.every((client) => client.all('message').length > 3));
    const acked = clients.map((client) => client.all('message').length);
    for (const [index, client] of clients.entries())
      client.send({ type: 'ack', seq: acked[index] ?? 0, ref: 'last' });
    await Promise.all(clients.map((client) => client.nextOf('ok')));

    const stopping = world.gateways[0];
    stopping?.kill('SIGTERM');
    const closes = await Promise.all(clients.map((client) => client.closed));
    expect(closes.map(({ code }) => code)).toEqual(users.map(() => 1012));
    const goodbyes = clients.map((client) => client.all('goodbye')[0]?.reconnectAfterMs ?? -1);
    expect(goodbyes.every((ms) => ms >= 0 && ms <= 1_000)).toBe(true);
    expect(new Set(goodbyes).size).toBeGreaterThan(1);
    expect(await stopping?.exited).toMatchObject({ code: 0 });

    const again: TestClient[] = await Promise.all(users.map((user) => world.connect(user, {}, 1)));
    sending.abort();
    await traffic;
    for (const [index, client] of again.entries()) {
      expect(await client.next()).toMatchObject({ type: 'welcome', after: acked[index] });
      const total = sent.get(users[index] ?? '') ?? 0;
      await eventually('all of it', () => client.all('message').at(-1)?.seq === total);
      const seqs = client.all('message').map((frame) => frame.seq);
      expect(seqs).toEqual(
        Array.from({ length: total - (acked[index] ?? 0) }, (_, n) => (acked[index] ?? 0) + n + 1),
      );
    }
  });

  it('§2: a send-api finishes the requests it has, takes no more, and exits with 0', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const stopping = world.sendApis[0];
    const answers: number[] = [];
    const sending = new AbortController();
    const traffic = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (!sending.signal.aborted) {
          const answer = await world
            .ask(alice, '/v1/messages', { method: 'POST', body: { to: [bob], text: 'x' }, api: 0 })
            .catch(
              // Refused or cut before an answer began: a balancer would have sent it elsewhere.
              () => null,
            );
          if (answer === null) return;
          answers.push(answer.status);
        }
      }),
    );
    await eventually('traffic flows', () => answers.length > 20);
    stopping?.kill('SIGTERM');
    expect(await stopping?.exited).toMatchObject({ code: 0 });
    sending.abort();
    await traffic;
    const accepted = answers.filter((status) => status === 201).length;
    const { body } = await world.ask<{ lastSeq: number }>(bob, '/v1/inbox', { api: 1 });
    expect(body.lastSeq).toBeGreaterThanOrEqual(accepted);
    expect(answers.every((status) => status === 201 || status === 429)).toBe(true);
  });
});

describe('several processes in one service', () => {
  it('§2: WORKERS=2 serves as one: connects, sends, readiness, metrics, exit 0', async () => {
    const api = await world.addSendApi({ WORKERS: '2' });
    const gateway = await world.addGateway({ WORKERS: '2' });
    const index = world.gateways.indexOf(gateway);
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const devices = await Promise.all(
      Array.from({ length: 6 }, (_, n) => world.connect(bob, { device: `d${n}` }, index)),
    );
    await Promise.all(devices.map((client) => client.nextOf('caughtUp')));
    const answer = await world.ask(alice, '/v1/messages', {
      method: 'POST',
      body: { to: [bob], text: 'to every worker' },
      api: world.sendApis.indexOf(api),
    });
    expect(answer.status).toBe(201);
    for (const client of devices) expect(await client.nextOf('message')).toMatchObject({ seq: 1 });
    expect((await fetch(`${gateway.adminUrl}/readyz`)).status).toBe(200);
    await eventually('it counts the connections of both workers', async () =>
      /^posthorn_connections\S* 6$/m.test(await (await fetch(`${gateway.adminUrl}/metrics`)).text()),
    );
    expect(await api.stop()).toMatchObject({ code: 0 });
    expect(await gateway.stop()).toMatchObject({ code: 0 });
    expect((await devices[0]?.closed)?.code).toBe(1012);
  });
});
