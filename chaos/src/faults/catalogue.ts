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
 * All faults. The first word of an id names the part of the world that it hits: `api`, `gateway`, `redis`,
 * `postgres`, `edge`, `client`, `poison`. Every fault that makes Redis unavailable is in `redis`.
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
