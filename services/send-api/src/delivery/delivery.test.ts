import { bootApi, expectProblem, openStores, type TestApi, type TestStores } from '../../test/api-fixture';

const UNKNOWN_ID = '019a5f3c-6c1e-7b52-9f0e-2f4a1f0c7d11';
let stores: TestStores;
let api: TestApi;

beforeAll(async () => {
  stores = await openStores();
  api = await bootApi(stores);
});

afterAll(async () => {
  await api.stop();
  await stores.drop();
});

async function sendTo(...to: string[]): Promise<string> {
  return (await api.send('alice', { to, text: 'x' })).body.id;
}

test('§4.4: a message that waits says where and why', async () => {
  await stores.database.query(
    `INSERT INTO device (user_id, device, cursor, last_seen_at) VALUES ('bob', 'phone', 0, '2026-01-02T03:04:05.678Z')`,
  );
  const id = await sendTo('bob', 'carol');
  const response = await api.get('alice', `/v1/messages/${id.toUpperCase()}/delivery`);
  expect(response.status).toBe(200);
  expect(response.body).toEqual({
    id,
    from: 'alice',
    committedAt: expect.any(String),
    recipients: 2,
    items: [
      {
        user: 'bob',
        seq: 1,
        state: 'waiting',
        why: expect.stringContaining('next connect'),
        deliveredAt: null,
        readAt: null,
        gateways: [],
        isListed: true,
        devices: [
          {
            device: 'phone',
            cursor: 0,
            gateway: null,
            connectedAt: null,
            lastSeenAt: '2026-01-02T03:04:05.678Z',
            state: 'offline',
            why: expect.stringContaining('2026-01-02T03:04:05.678Z'),
          },
        ],
      },
      expect.objectContaining({ user: 'carol', devices: [], why: expect.stringContaining('No device') }),
    ],
  });
});

test('§4.4: read is told, and pages go through the recipients', async () => {
  const id = await sendTo('a', 'b', 'c');
  await api.post('b', '/v1/receipts', { read: [id] });
  const { body } = await api.get('alice', `/v1/messages/${id}/delivery?after=1&limit=1`);
  expect(body.recipients).toBe(3);
  expect(body.items).toEqual([expect.objectContaining({ user: 'b', state: 'read' })]);
});

test.each(['after=-1', 'after=x', 'limit=0', 'limit=101', 'other=1', 'after=1&after=2'])(
  '§4.2: the query %s is refused',
  async (query) => {
    const response = await api.get('alice', `/v1/messages/${await sendTo('bob')}/delivery?${query}`);
    expectProblem(response, 400, 'invalid_query');
  },
);

test('§4.4: only the sender sees it; anyone else gets the 404 of no such message', async () => {
  const id = await sendTo('bob');
  for (const path of [id, UNKNOWN_ID, 'x']) {
    expectProblem(await api.get('bob', `/v1/messages/${path}/delivery`), 404, 'not_found');
  }
  expect((await api.http().get(`/v1/messages/${id}/delivery`)).status).toBe(401);
});
