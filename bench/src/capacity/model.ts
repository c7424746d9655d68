import type { Costs, PartCpu } from './costs';

/** The habits of users. */
export interface Habits {
  /** Share of users whose device is connected in the busiest hour. */
  connected: number;
  /** Messages per user and day. */
  messages: number;
  /** Recipients per message. */
  recipients: number;
  /** Connects per connected device and hour. */
  connects: number;
  /** The load of the busiest hour, as a multiple of the average. */
  peak: number;
  /** How many days messages are kept. */
  days: number;
}

/** The most that may be asked of one of each. */
export interface Limits {
  /** Share of a core, or of a machine's cores, that may be used in the busiest hour. */
  load: number;
  connectionsPerGateway: number;
  postgresCores: number;
  postgresConnections: number;
  walMbPerS: number;
  tableTb: number;
  /** Masters of a Redis Cluster. Each uses one core. */
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
  /**
   * How long the devices of a dead gateway need to reconnect, limited by the free CPU of the other gateways. Null
   * with one gateway.
   */
  gatewayBackS: number | null;
}

/** A resource that exists only once, and how full a number of users make it. */
export interface Part {
  name: string;
  /** 1 means full. */
  share(need: Need): number;
}

const DAY_S = 86_400;
const HOUR_S = 3_600;
const MS_PER_S = 1_000;
/** Connections to Postgres that a process may open: `DATABASE_CONNECTIONS` (default) plus 4. */
export const POOL = 14;
/** At least two, so that one may fail. */
const FEWEST = 2;

/** What this many users need. */
export function needOf(users: number, costs: Costs, habits: Habits, limits: Limits): Need {
  const connections = users * habits.connected;
  const sendsPerS = (users * habits.messages * habits.peak) / DAY_S;
  const deliveriesPerS = sendsPerS * habits.recipients;
  const connectsPerS = (connections * habits.connects) / HOUR_S;
  const cores = (part: keyof PartCpu): number =>
    (sendsPerS * costs.send[part] +
      deliveriesPerS * habits.connected * costs.delivery[part] +
      // An entry is written whether its recipient is away or connected. Sending it is cheaper in a drain.
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

/** The other gateways take the connections with the CPU that the load limit leaves free. */
function backAfter(connections: number, others: number, costs: Costs, limits: Limits): number | null {
  if (others === 0) return null;
  const sparePerS = others * (1 - limits.load) * MS_PER_S;
  return (connections * costs.connect.gateway) / sparePerS;
}

/** The resources that exist only once, so that starting more processes does not help. */
export function partsOf(limits: Limits): Part[] {
  return [
    { name: 'Postgres: connections', share: (need) => need.postgresConnections / limits.postgresConnections },
    { name: 'Postgres: CPU', share: (need) => need.postgresCores / limits.postgresCores },
    { name: 'Postgres: disk', share: (need) => need.tableTb / limits.tableTb },
    { name: 'Postgres: write-ahead log', share: (need) => need.walMbPerS / limits.walMbPerS },
    { name: 'Redis: masters', share: (need) => need.redisMasters / limits.redisMasters },
  ];
}

/** The number of users that fills a part, exact to a thousandth. The share must grow with the users. */
export function usersThatFill(part: Part, needFor: (users: number) => Need): number {
  let [low, high] = [1, 1e12];
  while (high / low > 1.001) {
    const middle = Math.sqrt(low * high);
    if (part.share(needFor(middle)) >= 1) high = middle;
    else low = middle;
  }
  return high;
}
