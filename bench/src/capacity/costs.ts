import { figureOf, type Measured } from './measured';

/** CPU time of each part, in ms. */
export interface PartCpu {
  api: number;
  gateway: number;
  postgres: number;
  redis: number;
}

/** The cost of each operation. */
export interface Costs {
  /** A send, without its recipients. */
  send: PartCpu;
  /** A connected recipient: entry, route, frame, acknowledgement, receipt. */
  delivery: PartCpu;
  /** A recipient who is away, once the device is back: drain, acknowledgement, receipt. */
  drained: PartCpu;
  connect: PartCpu;
  /** One connection for one second. */
  idle: PartCpu;
  /** Of a message to one recipient, once it is delivered. */
  tableBytes: number;
  walBytes: number;
}

/** Recipients of a message in the scenario "fan-out". */
const FANNED_OUT = 1_000;

/**
 * Costs from the figures of the bench. The cost per recipient comes from a message to 1,000 recipients, where nearly
 * all cost is recipients. The cost of a send is the rest of a message to one recipient.
 */
export function costsOf(measured: Measured): Costs {
  const cpu = (scenario: string, count: number): PartCpu => ({
    api: figureOf(measured, scenario, '· api, CPU ms') / count,
    gateway: figureOf(measured, scenario, '· gateway, CPU ms') / count,
    postgres: figureOf(measured, scenario, '· Postgres, CPU ms') / count,
    redis: figureOf(measured, scenario, '· Redis, CPU ms') / count,
  });
  const delivery = cpu('fan-out', FANNED_OUT);
  const toOne = cpu('saturated', 1);
  return {
    send: {
      api: toOne.api - delivery.api,
      gateway: toOne.gateway - delivery.gateway,
      postgres: toOne.postgres - delivery.postgres,
      redis: toOne.redis - delivery.redis,
    },
    delivery,
    drained: cpu('drain', 1),
    connect: cpu('connect', 1),
    // send-api's own CPU does not grow with connections.
    idle: { ...cpu('upkeep', 1_000), api: 0 },
    tableBytes: figureOf(measured, 'storage', 'tables and indexes per message, bytes'),
    walBytes: figureOf(measured, 'storage', 'write-ahead log per message, bytes'),
  };
}
