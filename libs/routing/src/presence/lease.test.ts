import { leaseOf, openTestRouting, type TestProcess, type TestRouting } from '../../test/routing-fixture';
import { LEASE_RENEW_MS, LEASE_TTL_MS } from '../times';

let routing: TestRouting;
let process: TestProcess;

beforeAll(async () => {
  routing = openTestRouting();
  process = await routing.start();
});

afterAll(async () => {
  await routing.close();
});

test('§6: renewing says when the lease was missing: at the start, after a wipe, after a pause', async () => {
  const lease = leaseOf(process, routing.keys, 'g1');
  expect(await lease.renew()).toBe(false);
  expect(await lease.renew()).toBe(true);
  await routing.client.del(routing.keys.lease('g1'));
  expect(await lease.renew()).toBe(false);
  expect(await lease.renew()).toBe(true);
});

test('§6: each renewal gives it its whole life again, within the 15 s in which presence heals', async () => {
  const lease = leaseOf(process, routing.keys, 'g2');
  await lease.renew();
  await routing.client.pexpire(routing.keys.lease('g2'), 500);
  await lease.renew();
  const ttl = await routing.client.pttl(routing.keys.lease('g2'));
  expect([ttl > LEASE_TTL_MS / 2, ttl <= LEASE_TTL_MS]).toEqual([true, true]);
  expect(LEASE_TTL_MS).toBeLessThan(15_000);
  expect(LEASE_RENEW_MS * 2).toBeLessThan(LEASE_TTL_MS);
});

test('§6: ending it removes it at once, and nobody else’s', async () => {
  const [one, two] = [leaseOf(process, routing.keys, 'g3'), leaseOf(process, routing.keys, 'g4')];
  await one.renew();
  await two.renew();
  await one.end();
  expect(await routing.client.exists(routing.keys.lease('g3'))).toBe(0);
  expect(await two.renew()).toBe(true);
});
