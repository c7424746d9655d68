import { readClusterSlots } from './cluster-slots';

test('§6: of each range the master counts, by the name that it gives', () => {
  const reply = [
    [0, 99, ['10.0.0.1', 6379, 'id-1', []], ['10.0.0.2', 6379, 'id-2', []]],
    [100, 16_383, ['redis-3.example', 7000, 'id-3', ['ip', '10.0.0.3']]],
  ];
  expect(readClusterSlots(reply, 'asked')).toEqual([
    { first: 0, last: 99, host: { host: '10.0.0.1', port: 6379 } },
    { first: 100, last: 16_383, host: { host: 'redis-3.example', port: 7000 } },
  ]);
  expect(readClusterSlots([], 'asked')).toEqual([]);
});

test.each([null, '', '?'])('§6: a node that names itself %j is where it was asked', (name) => {
  expect(readClusterSlots([[0, 1, [name, 7000, 'id']]], 'asked')).toEqual([
    { first: 0, last: 1, host: { host: 'asked', port: 7000 } },
  ]);
});

test.each([null, 'OK', [1], [[0, 1]], [[0, '1', ['h', 1]]], [[0, 1, ['h']]]])(
  '§6: %j is no answer to who serves what',
  (reply) => {
    expect(() => readClusterSlots(reply, 'asked')).toThrow('unexpected reply');
  },
);
