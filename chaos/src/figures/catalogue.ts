import { gatewayKill } from './gateway-kill';
import { lostRouting } from './lost-routing';
import type { Measurement } from './measurement';
import { postgresDown } from './postgres-down';
import { redisDown } from './redis-down';
import { silentPeers } from './silent-peers';
import { slowReaders } from './slow-readers';

/** All measurements, in order. */
export const measurements: readonly Measurement[] = [
  postgresDown,
  gatewayKill,
  lostRouting,
  redisDown,
  slowReaders,
  silentPeers,
];
