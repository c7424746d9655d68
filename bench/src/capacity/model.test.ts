import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../options';
import { type Costs, costsOf } from './costs';
import { figureOf, readMeasured } from './measured';
import { type Habits, type Limits, type Need, needOf, POOL, partsOf, usersThatFill } from './model';
import { parseOptions } from './options';

const docs = join(__dirname, '..', '..', '..', 'docs');
const measured = readMeasured(readFileSync(join(docs, 'PERFORMANCE.md'), 'utf8'));
const part = { api: 1, gateway: 2, postgres: 4, redis: 8 };
const none = { api: 0, gateway: 0, postgres: 0, redis: 0 };
const costs: Costs = {
  send: part,
  delivery: part,
  drained: none,
  connect: none,
  idle: none,
  tableBytes: 1_000,
  walBytes: 2_000,
};
const habits: Habits = { connected: 0.5, messages: 86.4, recipients: 3, connects: 1, peak: 1, days: 10 };
const limits: Limits = {
  load: 0.5,
  connectionsPerGateway: 100,
  postgresCores: 10,
  postgresConnections: 1_000,
  walMbPerS: 1,
  tableTb: 1,
  redisMasters: 4,
};

it('adds up what each part does for sends, deliveries, connects and idle connections', () => {
  // 1,000 users send one message a second together, to three recipients each.
  expect(needOf(1_000, costs, habits, limits)).toEqual({
    users: 1_000,
    connections: 500,
    sendsPerS: 1,
    deliveriesPerS: 3,
    sendApis: 2,
    gateways: 5,
    redisMasters: (4 * 8) / 1_000 / 0.5,
    postgresCores: (4 * 4) / 1_000 / 0.5,
    postgresConnections: 7 * POOL,
    walMbPerS: (3 * 2_000) / 1e6,
    tableTb: (1_000 * 86.4 * 3 * 10 * 1_000) / 1e12,
    gatewayBackS: 0,
  });
  const connects = { ...costs, send: none, delivery: none, connect: part };
  expect(needOf(7_200, connects, habits, limits).postgresCores).toBeCloseTo((1 * 4) / 1_000 / 0.5);
  const idle = { ...costs, send: none, delivery: none, idle: part };
  expect(needOf(2_000, idle, habits, limits).redisMasters).toBeCloseTo((1_000 * 8) / 1_000 / 0.5);
});

it('counts how long the others take over the connections of a gateway that died', () => {
  const need = needOf(400, { ...costs, connect: part }, habits, limits);
  // 100 connections of 2 ms each, on one other gateway with half of a core to spare.
  expect([need.gateways, need.gatewayBackS]).toEqual([2, 0.4]);
});

it('finds the number of users that fills each part', () => {
  const needFor = (users: number): Need => needOf(users, costs, habits, limits);
  for (const one of partsOf(limits)) {
    const users = usersThatFill(one, needFor);
    expect(one.share(needFor(users))).toBeGreaterThanOrEqual(1);
    expect(one.share(needFor(users * 0.99))).toBeLessThan(1.01);
  }
});

it('reads the figures of the page, and says which it lacks', () => {
  expect(figureOf(measured, 'saturated', 'sends, /s')).toBeGreaterThan(100);
  expect(() => figureOf(measured, 'saturated', 'no such')).toThrow('"no such" of the scenario "saturated"');
  for (const cost of Object.values(costsOf(measured)).flatMap((value) =>
    typeof value === 'number' ? [value] : Object.values(value),
  ))
    expect(cost).toBeGreaterThanOrEqual(0);
});

it.each([['--messages', '0'], ['--connected', '1.1'], ['--days', 'x'], ['--no-such', '1'], ['more']])(
  'refuses %s %s',
  (...args) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
  },
);

it('takes each of its numbers by a flag', () => {
  const { habits: given, limits: bounds } = parseOptions(['--messages', '7', '--postgres-cores', '8']);
  expect([given.messages, bounds.postgresCores]).toEqual([7, 8]);
});
