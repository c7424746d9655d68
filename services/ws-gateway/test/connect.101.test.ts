import { mintToken } from '@posthorn/stack';
import { TEST_SECRET } from '@posthorn/testing';
import { GatewayFixture, type TestGateway } from './gateway.fixture';
import { RawClient, upgradeHeaders } from './raw-client.fixture';

describe('an upgrade that succeeds', () => {
  let fixture: GatewayFixture;
  let gateway: TestGateway;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    gateway = await fixture.start({ ALLOWED_ORIGINS: 'https://app.example.com,http://localhost:5173' });
  });
  afterAll(() => fixture.close());

  it('§3: takes the token from the Authorization header', async () => {
    const user = fixture.user();
    const client = await gateway.connect(user);
    expect(await client.next()).toMatchObject({
      type: 'welcome',
      user,
      device: 'default',
      after: 0,
      lastSeq: 0,
    });
    expect(client.socket.protocol).toBe('posthorn.v1');
    expect(await gateway.metric('upgrades_total', { status: '101' })).toBe(1);
  });

  it.each([
    ['last', (bearer: string) => `posthorn.v1, ${bearer}`],
    ['first', (bearer: string) => `${bearer},posthorn.v1`],
    ['among others', (bearer: string) => `other, ${bearer}, posthorn.v1`],
  ])(
    '§3: takes the token from a subprotocol offered %s, selects posthorn.v1 and never echoes the token',
    async (_, offer) => {
      const token = await mintToken({ user: fixture.user(), secret: TEST_SECRET });
      const client = new RawClient(gateway.port);
      client.request('GET /v1/connect', {
        ...upgradeHeaders,
        'Sec-WebSocket-Protocol': offer(`posthorn.bearer.${token}`),
      });
      const { status, headers } = await client.response();
      expect(status).toBe(101);
      expect(headers['sec-websocket-protocol']).toBe('posthorn.v1');
      expect(client.received.toString()).not.toContain(token);
      client.socket.destroy();
    },
  );

  it('§3: needs no subprotocol where the header has the token, and selects none then', async () => {
    const token = await mintToken({ user: fixture.user(), secret: TEST_SECRET });
    const client = new RawClient(gateway.port);
    client.request('GET /v1/connect', { ...upgradeHeaders, Authorization: `Bearer ${token}` });
    const { status, headers } = await client.response();
    expect(status).toBe(101);
    expect(headers).not.toHaveProperty('sec-websocket-protocol');
    client.socket.destroy();
  });

  it.each(['https://app.example.com', 'http://localhost:5173'])(
    '§2: takes the listed Origin %s',
    async (origin) => {
      const client = await gateway.connect(fixture.user(), {}, { Origin: origin });
      expect(await client.next()).toMatchObject({ type: 'welcome' });
    },
  );

  it('§2: takes any Origin where ALLOWED_ORIGINS is *', async () => {
    const open = await fixture.start({ ALLOWED_ORIGINS: '*' });
    const client = await open.connect(fixture.user(), {}, { Origin: 'https://anywhere.example' });
    expect(await client.next()).toMatchObject({ type: 'welcome' });
  });

  it('§5: takes every device name of the alphabet, up to 64 characters', async () => {
    for (const device of ['A', 'a.b_c:d@e-f', 'x'.repeat(64)]) {
      const client = await gateway.connect(fixture.user(), { device });
      expect(await client.next()).toMatchObject({ type: 'welcome', device });
    }
  });

  it('never puts a token into the log', async () => {
    const token = await mintToken({ user: fixture.user(), secret: TEST_SECRET });
    const client = await gateway.connectWith(token);
    await client.nextOf('caughtUp');
    await client.close();
    expect(JSON.stringify(gateway.lines)).not.toContain(token.split('.')[2]);
  });
});
