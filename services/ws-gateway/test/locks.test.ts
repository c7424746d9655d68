import { gatewayDefaults } from '../src/gateway-options';
import { expectProblem, GatewayFixture, refusalOf, type TestGateway } from './gateway.fixture';

let fixture: GatewayFixture;
let gateway: TestGateway;
let release: () => Promise<void> = async () => undefined;

beforeAll(async () => {
  fixture = await GatewayFixture.open();
  // It gives a device up that stays locked, as it does in production.
  gateway = await fixture.start({}, { maxLockedClaimMs: gatewayDefaults.maxLockedClaimMs });
});
afterEach(() => release());
afterAll(() => fixture.close());

async function lockDevice(user: string): Promise<void> {
  release = await fixture.database.hold('SELECT * FROM device WHERE user_id = $1 FOR UPDATE', [user]);
}

test('§5.8: a device row that another transaction holds makes its own acks unavailable, and nobody else’s', async () => {
  const heldUser = fixture.user();
  const others = Array.from({ length: 5 }, () => fixture.user());
  const held = await gateway.connectLive(heldUser);
  const clients = await Promise.all(others.map((user) => gateway.connectLive(user)));
  await fixture.send('alice', [heldUser, ...others], ['x']);
  await lockDevice(heldUser);
  for (const client of [held, ...clients]) {
    const { seq } = await client.nextOf('message');
    client.send({ type: 'ack', seq, ref: 'a' });
  }
  const oks = await Promise.all(clients.map((client) => client.nextOf('ok')));
  expect(oks).toEqual(others.map(() => ({ type: 'ok', ref: 'a' })));
  expect(await held.nextOf('error')).toMatchObject({ ref: 'a', code: 'unavailable' });

  await release();
  held.send({ type: 'ack', seq: 1, ref: 'b' });
  expect(await held.nextOf('ok')).toEqual({ type: 'ok', ref: 'b' });
});

test('§5.1: device rows that another transaction holds refuse their own connects with 503, and nobody else’s', async () => {
  const held = [fixture.user(), fixture.user()];
  const before = await Promise.all(held.map((user) => gateway.connectLive(user)));
  release = await fixture.database.hold('SELECT * FROM device WHERE user_id = ANY ($1) FOR UPDATE', [held]);
  const refused = held.map((user) => refusalOf(gateway.connect(user, { device: 'default' })));
  // These gather behind them, with one more of the held.
  refused.push(refusalOf(gateway.connect(held[0] ?? '')));
  await Promise.all(Array.from({ length: 6 }, () => gateway.connectLive(fixture.user())));
  for (const each of refused) expectProblem(await each, 503, 'unavailable');

  await release();
  await gateway.connectLive(held[0] ?? '');
  expect(await before[0]?.closed).toMatchObject({ code: 4509 });
});

test('§5.3: a receipt row that another transaction holds makes its own reads unavailable, and nobody else’s', async () => {
  const heldUser = fixture.user();
  const others = Array.from({ length: 3 }, () => fixture.user());
  const held = await gateway.connectLive(heldUser);
  const clients = await Promise.all(others.map((user) => gateway.connectLive(user)));
  const [sent] = await fixture.send('alice', [heldUser, ...others], ['x']);
  const id = sent?.message.id ?? '';
  release = await fixture.database.hold(
    'INSERT INTO receipt (message_id, user_id, delivered_at) VALUES ($1, $2, now())',
    [id, heldUser],
  );
  for (const client of [held, ...clients]) client.send({ type: 'read', ids: [id], ref: 'r' });
  const oks = await Promise.all(clients.map((client) => client.nextOf('ok')));
  expect(oks).toHaveLength(others.length);
  expect(await held.nextOf('error')).toMatchObject({ ref: 'r', code: 'unavailable' });
});
