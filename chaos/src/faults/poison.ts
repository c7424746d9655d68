import { channelPoison } from './channel-poison';
import type { Fault } from './fault';
import { keyPoison } from './key-poison';

/** Data in Redis that none of our code wrote. */
export const poisonFaults: readonly Fault[] = [...channelPoison, ...keyPoison];
