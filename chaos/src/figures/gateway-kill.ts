import { atMost, type Measurement } from './measurement';
import type { Site } from './site';
import { timeUntil } from './wait';

const USERS = Array.from({ length: 10 }, (_, index) => `u${index + 1}`);
const DEVICES = ['d1', 'd2', 'd3', 'd4', 'd5'];
const COUNT = USERS.length * DEVICES.length;
const MISSED = 100;
const GONE_WITHIN_MS = 40_000;

/** A gateway dies. Presence must show it, and devices that reconnect elsewhere must catch up soon. */
export const gatewayKill: Measurement = {
  name: 'gateway-kill',
  what: `A gateway with ${COUNT} devices is killed with SIGKILL; each misses ${MISSED} messages and connects to another.`,
  kinds: ['single', 'sentinel', 'cluster'],
  measure: async (site) => {
    const { world } = site;
    const before = await Promise.all(places().map(({ user, device }) => site.connect(user, 0, device)));
    await Promise.all(before.map((client) => client.nextOf('caughtUp')));
    world.gateways[0]?.kill('SIGKILL');
    const gone = await timeUntil(async () => (await online(site)) === 0, GONE_WITHIN_MS, 100);
    const api = site.api();
    for (let n = 0; n < MISSED; n++) await api.send('u0', `missed-${n}`, { to: USERS, text: `missed ${n}` });
    const slowest = await comeBack(site);
    const back = await timeUntil(async () => (await online(site)) === USERS.length, GONE_WITHIN_MS, 100);
    await world.mend();
    return [
      atMost('a gateway is killed: its users are offline by presence', 15_000, gone),
      atMost(
        `${COUNT} devices connect elsewhere at once: the last has its ${MISSED} messages`,
        5_000,
        slowest,
      ),
      atMost('and presence has them online', 5_000, back),
    ];
  },
};

/** The longest time from the attempt to connect to `caughtUp`; null if a message was missing. */
async function comeBack(site: Site): Promise<number | null> {
  const times = await Promise.all(
    places().map(async ({ user, device }) => {
      const startedAt = performance.now();
      const client = await site.connect(user, 1, device);
      const { seq } = await client.nextOf('caughtUp', 20_000);
      const ms = performance.now() - startedAt;
      return seq === MISSED && client.all('message').length === MISSED ? ms : null;
    }),
  );
  return times.reduce<number | null>(
    (max, ms) => (max === null || ms === null ? null : Math.max(max, ms)),
    0,
  );
}

function places(): { user: string; device: string }[] {
  return USERS.flatMap((user) => DEVICES.map((device) => ({ user, device })));
}

/** How many of the users are online according to presence. */
async function online(site: Site): Promise<number> {
  const states = await Promise.all(USERS.map((user) => site.isOnline(user)));
  return states.filter(Boolean).length;
}
