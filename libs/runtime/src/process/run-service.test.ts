import { createServer } from 'node:net';
import { closedOf, type Fixture, killFixtures, letGoOn, startFixture } from '../../fixtures/start-fixture';

afterEach(killFixtures);

async function statusAndBody(url: string): Promise<[number, unknown]> {
  const response = await fetch(url, { headers: { connection: 'close' } });
  return [response.status, await response.json()];
}

/** Reads `path` of the admin port until the test is content. */
async function eventually(fixture: Fixture, path: string, status: number): Promise<unknown> {
  for (;;) {
    const [found, body] = await statusAndBody(`${fixture.adminUrl}${path}`);
    if (found === status) {
      return body;
    }
  }
}

describe('a service', () => {
  it('says where it listens, is ready, and ends with 0 at SIGTERM, undoing what it acquired', async () => {
    const fixture = await startFixture();
    expect(fixture.listening).toMatchObject({ service: 'fixture', pid: fixture.child.pid });
    expect(await statusAndBody(`${fixture.adminUrl}/readyz`)).toEqual([
      200,
      { status: 'ready', missing: {}, degraded: { redis: 'out of reach' } },
    ]);
    expect(await (await fetch(fixture.url)).text()).toBe(String(fixture.child.pid));
    fixture.child.kill('SIGTERM');
    expect(await closedOf(fixture)).toBe(0);
    expect(fixture.messages()).toEqual(['listening', 'stopping', 'undone', 'stopped']);
  });

  it('is unready from the first moment of stopping, and alive to the end', async () => {
    const fixture = await startFixture({ FIXTURE_DRAIN: '1', DRAIN_MS: '60000' });
    fixture.child.kill('SIGINT');
    expect(await eventually(fixture, '/readyz', 503)).toMatchObject({
      status: 'unready',
      missing: { draining: expect.any(String) },
    });
    expect((await statusAndBody(`${fixture.adminUrl}/livez`))[0]).toBe(200);
    letGoOn(fixture);
    expect(await closedOf(fixture)).toBe(0);
  });

  it('ends at once, with 1, at the second signal', async () => {
    const fixture = await startFixture({ FIXTURE_DRAIN: '1', DRAIN_MS: '60000' });
    fixture.child.kill('SIGTERM');
    await fixture.logged('stopping');
    fixture.child.kill('SIGTERM');
    expect(await closedOf(fixture)).toBe(1);
  });

  it.each(['/crash', '/reject'])(
    'stops gracefully, with 1, after an error that nobody caught: %s',
    async (path) => {
      const fixture = await startFixture();
      await fetch(`${fixture.url}${path}`);
      expect(await closedOf(fixture)).toBe(1);
      expect(fixture.messages()).toEqual(['listening', 'uncaught error', 'stopping', 'undone', 'stopped']);
    },
  );
});

describe('a start', () => {
  it('with bad settings ends with 78 and says which', async () => {
    const fixture = await startFixture({ FIXTURE_BAD: '1' });
    expect(await closedOf(fixture)).toBe(78);
    expect(fixture.stderr()).toContain('PORT is bad');
    expect(fixture.messages()).toEqual([]);
  });

  it('that fails undoes what it acquired and ends with 1', async () => {
    const fixture = await startFixture({ FIXTURE_FAIL: '1' });
    expect(await closedOf(fixture)).toBe(1);
    expect(fixture.messages()).toEqual(['start failed', 'stopping', 'undone', 'stopped']);
  });

  it.each(['PORT', 'ADMIN_PORT'])('that finds %s taken says so and ends with 1', async (name) => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const fixture = await startFixture({ [name]: String(port) });
    const code = await closedOf(fixture);
    await new Promise((resolve) => taken.close(resolve));
    expect(code).toBe(1);
    expect(fixture.lines()[0]).toMatchObject({ message: 'start failed: a port is in use', port });
  });

  it('that waits can be seen on the admin port, and stopped', async () => {
    const port = await freePort();
    const fixture = await startFixture({ FIXTURE_WAIT: '1', ADMIN_PORT: String(port) });
    const url = `http://127.0.0.1:${port}`;
    let answer: [number, unknown] | null = null;
    while (answer === null) {
      answer = await statusAndBody(`${url}/readyz`).catch(() => null);
    }
    expect(answer).toEqual([
      503,
      { status: 'unready', missing: { starting: expect.any(String) }, degraded: {} },
    ]);
    expect((await statusAndBody(`${url}/livez`))[0]).toBe(200);
    fixture.child.kill('SIGTERM');
    expect(await closedOf(fixture)).toBe(0);
    expect(fixture.messages()).toEqual(['stopping', 'undone', 'stopped']);
  });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
