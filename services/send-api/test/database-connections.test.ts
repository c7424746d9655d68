import { bootApi, openStores } from './api-fixture';

test('§2.3: a process holds no more connections to Postgres than it is told, and those for the rest', async () => {
  const stores = await openStores();
  const api = await bootApi(stores, { DATABASE_CONNECTIONS: '3', RATE_LIMIT_SENDS: '0' });
  try {
    const sends = Array.from({ length: 60 }, (_, nth) =>
      api.send('alice', { to: [`user-${nth}`], text: 'x' }),
    );
    const reads = Array.from({ length: 40 }, (_, nth) => api.get(`user-${nth}`, '/v1/inbox'));
    const statuses = (await Promise.all([...sends, ...reads])).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([201, 200]));
    const [row] = await stores.database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'posthorn'`,
    );
    expect(row?.count).toBeGreaterThanOrEqual(3);
    expect(row?.count).toBeLessThanOrEqual(3 + 4 + 1);
  } finally {
    await api.stop();
    await stores.drop();
  }
});
