import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually, FaultProxy, whenBlocked } from '@posthorn/testing';
import { expectProblem, GatewayFixture, refusalOf, type TestGateway } from './gateway.fixture';
import { RawClient, upgradeHeaders } from './raw-client.fixture';

describe('an upgrade that cannot be served now', () => {
  let fixture: GatewayFixture;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
  });
  afterAll(() => fixture.close());

  describe('with Postgres behind a proxy', () => {
    let proxy: FaultProxy;
    let gateway: TestGateway;
    beforeAll(async () => {
      proxy = await FaultProxy.open(fixture.database.url);
      gateway = await fixture.start({
        DATABASE_URL: proxy.through(fixture.database.url),
        MAX_CONNECTIONS_PER_USER: '1',
      });
    });
    afterEach(() => {
      // What lost something stays silent: it is cut.
      proxy.mode = 'reset';
      proxy.mode = 'pass';
    });
    afterAll(async () => {
      await gateway.stop();
      await proxy.close();
    });

    it('§5: gets 503 while Postgres is out of reach; open connections stay, and upgrades work again after it', async () => {
      const open = await gateway.connectLive(fixture.user());
      const user = fixture.user();
      proxy.mode = 'reset';
      const refused = await refusalOf(gateway.connect(user));
      expectProblem(refused, 503, 'unavailable');
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect((await gateway.readiness()).missing).toHaveProperty('postgres');
      expect(
        await eventually(
          'presence taken back',
          async () => Object.keys(await fixture.presence(user)).length === 0,
        ),
      ).toBe(true);

      proxy.mode = 'pass';
      await gateway.connectLive(user);
      open.send({ type: 'ping', ref: 1 });
      expect(await open.next()).toEqual({ type: 'pong', ref: 1 });
    });

    it('§2: gets 503 after UPGRADE_TIMEOUT_MS where Postgres hangs', async () => {
      const user = fixture.user();
      await gateway.connectLive(user);
      proxy.mode = 'blackhole';
      const usual = gateway.settings.upgradeTimeoutMs;
      gateway.settings.upgradeTimeoutMs = 100;
      // Postgres itself would be waited for much longer.
      const refused = await refusalOf(gateway.connect(user));
      gateway.settings.upgradeTimeoutMs = usual;
      expectProblem(refused, 503, 'unavailable');
      expect(refused.body).toContain('not ready in time');
    });

    it('§6: presence is taken back when the peer goes away while its device is being claimed', async () => {
      const user = fixture.user();
      proxy.mode = 'blackhole';
      const client = await RawClient.upgrade(gateway.port, user);
      await eventually(
        'presence announced',
        async () => Object.keys(await fixture.presence(user)).length === 1,
      );
      client.socket.resetAndDestroy();
      await eventually(
        'presence taken back',
        async () => Object.keys(await fixture.presence(user)).length === 0,
      );
    });
  });

  it('§5: a device that was claimed for a peer that went away meanwhile is held as it was before: by nobody', async () => {
    const gateway = await fixture.start();
    const user = fixture.user();
    await (await gateway.connectLive(user)).close();
    const { fence } = await eventually('released', async () => {
      const device = await fixture.device(user);
      return device.gateway === null && device;
    });

    const unlock = await fixture.lockDevice(user);
    const client = await RawClient.upgrade(gateway.port, user);
    await whenBlocked(fixture.database);
    client.socket.resetAndDestroy();
    await eventually(
      'presence taken back',
      async () => Object.keys(await fixture.presence(user)).length === 0,
    );
    await unlock();
    const next = await gateway.connectLive(user);
    expect(await fixture.device(user)).toMatchObject({ fence: fence + 1, gateway: gateway.id });
    next.terminate();
  });

  it('a peer that half-closes while its device is being claimed is no error of ours', async () => {
    const gateway = await fixture.start();
    const user = fixture.user();
    const client = await RawClient.upgrade(gateway.port, user);
    client.socket.end();
    await client.ended;
    await eventually('gone', async () => (await gateway.metric('connections')) === 0);
    await eventually(
      'presence taken back',
      async () => Object.keys(await fixture.presence(user)).length === 0,
    );
    expect(gateway.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  describe('with a key set that answers late or never', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    let keySet: Server;
    let gateway: TestGateway;
    const waiting: ServerResponse[] = [];
    let isAnswering = false;
    beforeAll(async () => {
      keySet = createServer((_request, response) => {
        if (isAnswering) answer(response);
        else waiting.push(response);
      }).listen(0, '127.0.0.1');
      await once(keySet, 'listening');
      gateway = await fixture.start({
        AUTH_JWT_SECRET: '',
        AUTH_JWKS_URL: `http://127.0.0.1:${(keySet.address() as AddressInfo).port}/keys`,
      });
    });
    afterAll(() => {
      keySet.closeAllConnections();
      keySet.close();
    });

    function answer(response: ServerResponse): void {
      const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'EdDSA' };
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
    }

    function token(user: string): string {
      const claims = { sub: user, exp: Math.floor(Date.now() / 1_000) + 600 };
      const input = [{ alg: 'EdDSA', kid: 'k1' }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
      return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
    }

    it('§3: gets 503 after UPGRADE_TIMEOUT_MS while the key set does not answer', async () => {
      const usual = gateway.settings.upgradeTimeoutMs;
      gateway.settings.upgradeTimeoutMs = 100;
      const refused = await refusalOf(gateway.connectWith(token('bob')));
      gateway.settings.upgradeTimeoutMs = usual;
      expectProblem(refused, 503, 'unavailable');
      await eventually('the keys are asked for', () => waiting.length === 1);
    });

    it('§3: a reset while the token is being verified leaves the process alive, and later ones connect', async () => {
      const client = new RawClient(gateway.port);
      client.request('GET /v1/connect', { ...upgradeHeaders, Authorization: `Bearer ${token('bob')}` });
      await once(client.socket, 'connect');
      // Seen by the gateway once a later request on another connection is answered.
      expectProblem(await refusalOf(gateway.connectWith('no.good.token')), 401, 'unauthorized');
      client.socket.resetAndDestroy();
      isAnswering = true;
      for (const response of waiting) answer(response);
      const user = fixture.user();
      const connected = await eventually('the keys are read', async () =>
        gateway.connectWith(token(user)).catch(() => undefined),
      );
      expect(await connected.next()).toMatchObject({ type: 'welcome', user });
      expect(await fixture.presence('bob')).toEqual({});
      expect(await gateway.metric('connections')).toBe(1);
    });
  });
});
