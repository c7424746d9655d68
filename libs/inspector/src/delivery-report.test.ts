import type { DeliveryDevice, DeliveryFacts } from '@posthorn/inbox';
import { describeRecipient } from './delivery-report';

const SINCE = '2026-11-26T10:00:00.000Z';
const LIVE = new Map([['g1', 1]]);

function facts(more: Partial<DeliveryFacts>): DeliveryFacts {
  return { user: 'bob', seq: 7, deliveredAt: null, readAt: null, devices: [], ...more };
}

function device(more: Partial<DeliveryDevice>): DeliveryDevice {
  return { device: 'phone', cursor: 6, gateway: null, connectedAt: SINCE, lastSeenAt: null, ...more };
}

test.each([
  ['no device', {}, 'waiting', 'No device of this user has connected'],
  ['a device that is away', { devices: [device({})] }, 'waiting', 'comes with the next connect'],
  [
    'a connected one',
    { devices: [device({ gateway: 'g1' })] },
    'waiting',
    'connected and has not acknowledged',
  ],
  ['an entry that is gone', { seq: null }, 'waiting', 'entry was deleted'],
  ['one that acknowledged', { deliveredAt: SINCE }, 'delivered', 'not marked it as read'],
  ['one that has read', { deliveredAt: SINCE, readAt: SINCE }, 'read', 'has read it'],
] as const)('says of a recipient with %s why', (_name, more, state, why) => {
  const report = describeRecipient(facts({ ...more } as Partial<DeliveryFacts>), {
    holders: LIVE,
    isListed: true,
  });
  expect(report).toMatchObject({
    state,
    why: expect.stringContaining(why),
    gateways: ['g1'],
    isListed: true,
  });
});

test.each([
  ['has it', device({ cursor: 7 }), LIVE, 'acknowledged', 'has acknowledged'],
  ['has more', device({ cursor: 9, gateway: 'g1' }), LIVE, 'acknowledged', 'has acknowledged'],
  ['never was connected', device({}), LIVE, 'offline', 'Not connected: it comes with the next connect'],
  ['is away', device({ lastSeenAt: SINCE }), LIVE, 'offline', `Not connected since ${SINCE}`],
  ['is here', device({ gateway: 'g1' }), LIVE, 'connected', `Connected to g1 since ${SINCE}`],
  ['is behind', device({ gateway: 'g1', cursor: 2 }), LIVE, 'connected', '4 before it are not acknowledged'],
  ['was on a gateway that died', device({ gateway: 'g9' }), LIVE, 'offline', 'g9 is gone'],
  ['may be here', device({ gateway: 'g1' }), null, 'unknown', 'Redis does not answer'],
  ['is away, without Redis', device({}), null, 'offline', 'comes with the next connect'],
])('says of a device that %s why', (_name, one, holders, state, why) => {
  const [report] = describeRecipient(facts({ devices: [one] }), { holders, isListed: null }).devices;
  expect(report).toMatchObject({ ...one, state, why: expect.stringContaining(why) });
});

test('says what Redis knows only where Redis told it', () => {
  const report = describeRecipient(facts({ devices: [device({ gateway: 'g1' })] }), {
    holders: null,
    isListed: null,
  });
  expect(report).toMatchObject({ gateways: null, isListed: null, state: 'waiting' });
  expect(report.why).toContain('Redis does not answer');
});
