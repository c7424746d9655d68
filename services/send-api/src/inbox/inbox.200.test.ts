import { bootApi, openStores, type TestApi, type TestStores } from '../../test/api-fixture';

let stores: TestStores;
let api: TestApi;

beforeAll(async () => {
  stores = await openStores();
  api = await bootApi(stores);
  await Promise.all(
    Array.from({ length: 120 }, (_, index) => api.send('alice', { to: ['bob'], text: `n${index}` })),
  );
});

afterAll(async () => {
  await api.stop();
  await stores.drop();
});

async function seqs(query: string): Promise<{ seqs: number[]; lastSeq: number }> {
  const response = await api.get('bob', `/v1/inbox${query}`);
  expect(response.status).toBe(200);
  expect(response.headers['cache-control']).toBe('no-store');
  return {
    seqs: response.body.items.map(({ seq }: { seq: number }) => seq),
    lastSeq: response.body.lastSeq,
  };
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

test('§4.5: without a query the first hundred entries come, in order, and the newest seq', async () => {
  expect(await seqs('')).toEqual({ seqs: range(1, 100), lastSeq: 120 });
});

test('§4.5: after and limit choose the page', async () => {
  expect(await seqs('?after=100')).toEqual({ seqs: range(101, 120), lastSeq: 120 });
  expect(await seqs('?after=5&limit=3')).toEqual({ seqs: [6, 7, 8], lastSeq: 120 });
  expect(await seqs('?limit=500')).toEqual({ seqs: range(1, 120), lastSeq: 120 });
  expect(await seqs('?limit=1&after=0')).toEqual({ seqs: [1], lastSeq: 120 });
});

test('§4.5: an after beyond the inbox gets an empty page', async () => {
  expect(await seqs('?after=120')).toEqual({ seqs: [], lastSeq: 120 });
  expect(await seqs(`?after=${Number.MAX_SAFE_INTEGER}`)).toEqual({ seqs: [], lastSeq: 120 });
});

test('§4.5: a user nobody wrote to has an empty inbox', async () => {
  const response = await api.get('nobody', '/v1/inbox');
  expect(response.body).toEqual({ items: [], lastSeq: 0 });
});

test('§4.5: an inbox shows nobody who else got a message', async () => {
  await api.send('alice', { to: ['bob', 'hidden-user'], text: 'group' });
  const response = await api.get('bob', '/v1/inbox?after=120');
  expect(response.text).not.toContain('hidden-user');
});

test('§4.5: what the inbox does not have any more is told, where it lies within the page', async () => {
  for (let n = 0; n < 9; n++) await api.send('alice', { to: ['holes'], text: `n${n}` });
  await stores.database.query(`DELETE FROM inbox_entry WHERE user_id = 'holes' AND seq IN (1, 2, 5, 8, 9)`);
  const page = async (query: string): Promise<unknown> => {
    const { items, ...rest } = (await api.get('holes', `/v1/inbox${query}`)).body;
    return { seqs: items.map(({ seq }: { seq: number }) => seq), ...rest };
  };
  expect(await page('')).toEqual({
    seqs: [3, 4, 6, 7],
    skipped: [
      { from: 1, to: 2 },
      { from: 5, to: 5 },
      { from: 8, to: 9 },
    ],
    lastSeq: 9,
  });
  expect(await page('?after=2&limit=2')).toEqual({ seqs: [3, 4], lastSeq: 9 });
  expect(await page('?after=4&limit=2')).toEqual({ seqs: [6, 7], skipped: [{ from: 5, to: 5 }], lastSeq: 9 });
  expect(await page('?after=8')).toEqual({ seqs: [], skipped: [{ from: 9, to: 9 }], lastSeq: 9 });
  expect(await page('?after=9')).toEqual({ seqs: [], lastSeq: 9 });
});
