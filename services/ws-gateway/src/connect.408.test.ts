import { once } from 'node:events';
import { connect } from 'node:net';
import { expectProblem, GatewayFixture } from './gateway.fixture';
import { RawClient } from './raw-client.fixture';

describe('half an upgrade request', () => {
  let fixture: GatewayFixture;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
  });
  afterAll(() => fixture.close());

  it('§4: is answered with 408 and cut after about 10 s, also where the peer never closes its side', async () => {
    const gateway = await fixture.start();
    const client = new RawClient(gateway.port);
    const stubborn = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
    const startedAt = performance.now();
    for (const socket of [client.socket, stubborn]) {
      socket.write('GET /v1/connect HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\n');
    }
    const isReset = new Promise((resolve) => stubborn.once('error', resolve));
    stubborn.once('end', () => {
      // Our side stays open: what is written now meets a connection that is gone.
      const timer = setInterval(() => stubborn.write('X'), 50);
      stubborn.once('close', () => clearInterval(timer));
    });
    stubborn.resume();
    expectProblem(await client.response(), 408, 'request_timeout');
    await client.ended;
    await isReset;
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeGreaterThan(9_000);
    expect(tookMs).toBeLessThan(15_000);
    client.socket.destroy();
    if (!stubborn.closed) await once(stubborn, 'close');
  });
});
