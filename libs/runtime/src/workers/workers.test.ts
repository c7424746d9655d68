import { closedOf, type Fixture, killFixtures, letGoOn, startFixture } from '../../fixtures/start-fixture';

afterAll(killFixtures);

const two = { WORKERS: '2' };

async function readiness(fixture: Fixture): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${fixture.adminUrl}/readyz`, { headers: { connection: 'close' } });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

async function pidOf(url: string): Promise<number> {
  return Number(await (await fetch(url)).text());
}

async function bothPids(url: string): Promise<number[]> {
  const pids = new Set<number>();
  while (pids.size < 2) {
    pids.add(await pidOf(url));
  }
  return [...pids];
}

/** Asks until the answer contains what is looked for. */
async function untilReadinessSays(fixture: Fixture, text: string): Promise<void> {
  while (!JSON.stringify(await readiness(fixture)).includes(text)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('as they should be', () => {
  let fixture: Fixture;

  beforeAll(async () => {
    fixture = await startFixture(two);
  });

  it('share the public port', async () => {
    expect(fixture.listening).toMatchObject({ pid: fixture.child.pid, workers: 2 });
    expect(await bothPids(fixture.url)).not.toContain(fixture.child.pid);
  });

  it('answer the admin port through the primary: readiness of each, metrics of all, routes of one', async () => {
    const worker = { status: 'ready', missing: {}, degraded: { redis: 'out of reach' } };
    expect(await readiness(fixture)).toEqual({
      status: 200,
      body: { ...worker, workers: { '1': worker, '2': worker } },
    });
    const metrics = await (await fetch(`${fixture.adminUrl}/metrics`)).text();
    expect(metrics).toContain('posthorn_info{service="fixture"} 1');
    expect(metrics).toContain('posthorn_worker_restarts_total 0');
    const echo = (body: string) =>
      fetch(`${fixture.adminUrl}/echo`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
    const answered = await echo('{"user":"alice"}');
    expect([answered.status, await answered.json()]).toEqual([
      202,
      { body: { user: 'alice' }, pid: expect.any(Number) },
    ]);
    expect((await echo('{')).status).toBe(400);
    expect((await fetch(`${fixture.adminUrl}/echo`)).status).toBe(405);
    for (const path of ['/nothing', '/metrics.json']) {
      expect((await fetch(`${fixture.adminUrl}${path}`)).status).toBe(404);
    }
  });

  it('stop together with 0', async () => {
    fixture.child.kill('SIGTERM');
    expect(await closedOf(fixture)).toBe(0);
    expect(fixture.messages().filter((message) => message === 'undone')).toHaveLength(2);
    expect(fixture.messages()).not.toContain('worker did not stop in time');
  });
});

it.each(['/crash', '/die'])('are replaced when they end unasked: %s', async (path) => {
  const fixture = await startFixture({ ...two, FIXTURE_HOLD: '1' });
  const before = await bothPids(fixture.url);
  await fetch(`${fixture.url}${path}`).catch(() => null);
  await fixture.logged('held');
  const { status, body } = await readiness(fixture);
  expect(status).toBe(200);
  expect(JSON.stringify(body)).toContain('1 of 2 are running');
  letGoOn(fixture);
  await untilReadinessSays(fixture, '"3":{"status":"ready"');
  const after = await bothPids(fixture.url);
  expect(after.filter((pid) => before.includes(pid))).toHaveLength(1);
  expect(await (await fetch(`${fixture.adminUrl}/metrics`)).text()).toContain(
    'posthorn_worker_restarts_total 1',
  );
  fixture.child.kill('SIGTERM');
  expect(await closedOf(fixture)).toBe(0);
});

it.each(['SIGINT', 'SIGTERM'] as const)(
  'are unready while they drain, also after a signal to the whole process group, as Ctrl-C in a terminal sends it: %s',
  async (signal) => {
    const fixture = await startFixture({ ...two, FIXTURE_DRAIN: '1', DRAIN_MS: '60000' });
    process.kill(-(fixture.child.pid ?? 0), signal);
    await untilReadinessSays(fixture, 'draining');
    expect((await readiness(fixture)).status).toBe(503);
    letGoOn(fixture);
    expect(await closedOf(fixture)).toBe(0);
    expect(fixture.messages().filter((message) => message === 'undone')).toHaveLength(2);
  },
);

it('end with their primary, even if that is killed', async () => {
  const fixture = await startFixture(two);
  const pids = await bothPids(fixture.url);
  fixture.child.kill('SIGKILL');
  await closedOf(fixture);
  while (pids.some(isAlive)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
});

it('whose start fails end the whole service with 1', async () => {
  const fixture = await startFixture({ ...two, FIXTURE_FAIL: '1' });
  expect(await closedOf(fixture)).toBe(1);
  expect(fixture.messages()).toContain('start failed');
});

it('are ended at once by the second signal', async () => {
  const fixture = await startFixture({ ...two, FIXTURE_DRAIN: '1', DRAIN_MS: '60000' });
  fixture.child.kill('SIGTERM');
  await fixture.logged('stopping');
  fixture.child.kill('SIGTERM');
  expect(await closedOf(fixture)).toBe(1);
});
