import { GatewayFixture, range } from './gateway.fixture';

it('§2.3: a process holds no more connections to Postgres than it is told', async () => {
  const fixture = await GatewayFixture.open();
  const connections = async (): Promise<number[]> => {
    const rows = await fixture.database.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'posthorn'`,
    );
    return rows.map(({ pid }) => pid);
  };
  try {
    const users = range(1, 40).map((nth) => fixture.user(`user-${nth}`));
    for (const user of users) await fixture.commit('alice', user, ['x']);
    const before = await connections();
    const gateway = await fixture.start({ DATABASE_CONNECTIONS: '3' });
    const clients = await Promise.all(users.map((user) => gateway.connectLive(user)));
    for (const client of clients) client.send({ type: 'ack', seq: 1, ref: 1 });
    await Promise.all(clients.map((client) => client.nextOf('ok')));
    const held = (await connections()).filter((pid) => !before.includes(pid));
    expect(held.length).toBeGreaterThan(0);
    expect(held.length).toBeLessThanOrEqual(3);
  } finally {
    await fixture.close();
  }
});
