import { hashSlot } from './hash-slot';

// As CLUSTER KEYSLOT answers; `cluster.test.ts` asks a Cluster.
test.each([
  ['123456789', 12_739],
  ['', 0],
  ['foo', 12_182],
  ['posthorn:{foo}:presence', 12_182],
  ['posthorn:{foo}:offline', 12_182],
])('§6: the slot of %j is that of a Redis Cluster', (key, slot) => {
  expect(hashSlot(key)).toBe(slot);
});
