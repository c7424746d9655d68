import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, type Measurement, none } from './measurement';
import { onMessage } from './site';

const MESSAGES = 12;
const EVERY_MS = 1_500;
/** The default of RECONCILE_INTERVAL_MS plus 2 s. */
const BOUND_MS = 17_000;

/** Messages that send-api cannot route still come to connected devices. */
export const lostRouting: Measurement = {
  name: 'lost-routing',
  what: 'Send-api cannot reach Redis; a user is connected to a gateway, and does nothing.',
  kinds: ['single'],
  measure: async (site) => {
    const client = await site.connect('u1', 0);
    await client.nextOf('caughtUp');
    const cameAt = new Map<string, number>();
    onMessage(client, ({ message }) => cameAt.set(message.id, performance.now()));
    for (const { proxy } of site.world.edges('api-redis')) proxy.mode = 'blackhole';
    const api = site.api();
    const sentAt = new Map<string, number>();
    for (let n = 0; n < MESSAGES; n++) {
      const answer = await api.send('u0', `lost-${n}`, { to: ['u1'], text: `unrouted ${n}` });
      if (answer.isAccepted) sentAt.set(answer.id, performance.now());
      await sleep(EVERY_MS);
    }
    await sleep(BOUND_MS);
    const waits = [...sentAt].map(([id, at]) => (cameAt.get(id) ?? Number.POSITIVE_INFINITY) - at);
    return [
      none('routing is lost: sends not answered 201', MESSAGES - sentAt.size, MESSAGES),
      atMost(
        'routing is lost: longest wait from the 201 to a connected device',
        BOUND_MS,
        Math.max(...waits),
      ),
      none('its connection was closed', client.socket.readyState === 1 ? 0 : 1, 1),
    ];
  },
};
