import type { Costs, PartCpu } from './costs';

/** What users do. */
export interface Habits {
  /** Share of the users whose device is connected in the busiest hour. */
  connected: number;
  /** Messages that a user sends in a day. */
  messages: number;
  /** Recipients of a message. */
  recipients: number;
  /** Connects of a connected device in an hour. */
  connects: number;
  /** How much more goes on in the busiest hour than on average. */
  peak: number;
  /** Days that messages are kept. */
  days: number;
}

/** What one of each may be asked for. */
export interface Limits {
  /** Share of a core, or of a machine's cores, that may be in use in the busiest hour. */
  load: number;
  connectionsPerGateway: number;
  postgresCores: number;
  postgresConnections: number;
  walMbPerS: number;
  tableTb: number;
  /** Masters of a Redis Cluster; each uses one core. */
  redisMasters: number;
}

/** What a number of users need in the busiest hour. */
export interface Need {
  users: number;
  connections: number;
  sendsPerS: number;
  deliveriesPerS: number;
  sendApis: number;
  gateways: number;
  /** Masters, each on one core. */
  redisMasters: number;
  postgresCores: number;
  postgresConnections: number;
  walMbPerS: number;
  tableTb: number;
  /** Until the devices of a gateway that died are back, by CPU that the others have left. Null with one gateway. */
  gatewayBackS: number | null;
}

/** Something that there is one of, and how full a number of users make it. */
export interface Part {
  name: string;
  /** 1 is full. */
  share(need: Need): number;
}

const DAY_S = 86_400;
const HOUR_S = 3_600;
const MS_PER_S = 1_000;
/** Connections to Postgres that a process may open: `DATABASE_CONNECTIONS`, by default, and 4. */
export const POOL = 14;
/** Two at least, so that one may go. */
const FEWEST = 2;

/** What `users` need. */
export function needOf(users: number, costs: Costs, habits: Habits, limits: Limits): Need {
  const connections = users * habits.connected;
  const sendsPerS = (users * habits.messages * habits.peak) / DAY_S;
  const deliveriesPerS = sendsPerS * habits.recipients;
  const connectsPerS = (connections * habits.connects) / HOUR_S;
  const cores = (part: keyof PartCpu): number =>
    (sendsPerS * costs.send[part] +
      deliveriesPerS * habits.connected * costs.delivery[part] +
      // An entry is written for who is away as for who is there; being sent is cheaper in a drain.
      deliveriesPerS * (1 - habits.connected) * Math.max(costs.delivery[part], costs.drained[part]) +
      connectsPerS * costs.connect[part] +
      connections * costs.idle[part]) /
    MS_PER_S;
  const processes = (used: number): number => Math.max(FEWEST, Math.ceil(used / limits.load));
  const sendApis = processes(cores('api'));
  const gateways = Math.max(
    processes(cores('gateway')),
    Math.ceil(connections / limits.connectionsPerGateway),
  );
  const perMessage = sendsPerS === 0 ? 0 : habits.recipients;
  return {
    users,
    connections,
    sendsPerS,
    deliveriesPerS,
    sendApis,
    gateways,
    redisMasters: cores('redis') / limits.load,
    postgresCores: cores('postgres') / limits.load,
    postgresConnections: (sendApis + gateways) * POOL,
    walMbPerS: (sendsPerS * costs.walBytes * perMessage) / 1e6,
    tableTb: (users * habits.messages * habits.recipients * habits.days * costs.tableBytes) / 1e12,
    gatewayBackS: backAfter(connections / gateways, gateways - 1, costs, limits),
  };
}

/** The others take the connections with the CPU that the limit on load leaves them. */
function backAfter(connections: number, others: number, costs: Costs, limits: Limits): number | null {
  if (others === 0) return null;
  const sparePerS = others * (1 - limits.load) * MS_PER_S;
  return (connections * costs.connect.gateway) / sparePerS;
}

/** What there is one of, and cannot be had by starting more processes. */
export function partsOf(limits: Limits): Part[] {
  return [
    { name: 'Postgres: connections', share: (need) => need.postgresConnections / limits.postgresConnections },
    { name: 'Postgres: CPU', share: (need) => need.postgresCores / limits.postgresCores },
    { name: 'Postgres: disk', share: (need) => need.tableTb / limits.tableTb },
    { name: 'Postgres: write-ahead log', share: (need) => need.walMbPerS / limits.walMbPerS },
    { name: 'Redis: masters', share: (need) => need.redisMasters / limits.redisMasters },
  ];
}

/** The number of users that fills a part, to a thousandth; it grows with each. */
export function usersThatFill(part: Part, needFor: (users: number) => Need): number {
  let [low, high] = [1, 1e12];
  while (high / low > 1.001) {
    const middle = Math.sqrt(low * high);
    if (part.share(needFor(middle)) >= 1) high = middle;
    else low = middle;
  }
  return high;
}
