import type { RedisKind } from '../world/chaos-world';
import { clientFaults } from './clients';
import { clusterFaults } from './cluster';
import type { Fault } from './fault';
import { pointFaults } from './fault-points';
import { networkFaults } from './network';
import { poisonFaults } from './poison';
import { postgresFaults } from './postgres';
import { redisFaults } from './redis';
import { sentinelFaults } from './sentinel';
import { serviceFaults } from './services';

/**
 * Every fault there is. The first word of an id is the part of the world that it hits: `api`, `gateway`, `redis`,
 * `postgres`, `edge`, `client`, `poison`. Whatever makes Redis unavailable is of `redis`.
 */
export const CATALOGUE: readonly Fault[] = [
  ...serviceFaults,
  ...pointFaults,
  ...redisFaults,
  ...sentinelFaults,
  ...clusterFaults,
  ...postgresFaults,
  ...networkFaults,
  ...clientFaults,
  ...poisonFaults,
];

/** The faults that make sense on this kind of Redis. */
export function faultsFor(kind: RedisKind): Fault[] {
  return CATALOGUE.filter(({ kinds }) => kinds.includes(kind));
}
