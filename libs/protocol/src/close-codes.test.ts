import { closeCodes, mayReconnect } from './close-codes.ts';

test('§5: a client reconnects after 1001, 1006, 1011, 1012, 1013 and 4000 to 4499, and after no other code', () => {
  const reconnecting = Array.from({ length: 5_000 }, (_, code) => code).filter(mayReconnect);
  const private_ = Array.from({ length: 500 }, (_, index) => 4_000 + index);
  expect(reconnecting).toEqual([1001, 1006, 1011, 1012, 1013, ...private_]);
});

test('§5: ours are 4401, 4408, 4413 and 4429, which reconnect, and 4503 and 4509, which do not', () => {
  const ours = Object.values(closeCodes)
    .map(({ code }) => code)
    .filter((code) => code >= 4000);
  expect(ours).toEqual([4401, 4408, 4413, 4429, 4503, 4509]);
  expect(ours.filter(mayReconnect)).toEqual([4401, 4408, 4413, 4429]);
});

test('§5: each code is listed once, with what it means and what to do', () => {
  const codes = Object.values(closeCodes).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  for (const { code, meaning, todo } of Object.values(closeCodes)) {
    expect([code, meaning, todo]).toEqual([code, expect.stringMatching(/\S/), expect.stringMatching(/\S/)]);
    expect(todo.includes('reconnect') && !todo.includes('not reconnect')).toBe(mayReconnect(code));
  }
});
