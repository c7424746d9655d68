import { channelPoison } from './channel-poison';
import type { Fault } from './fault';
import { keyPoison } from './key-poison';

/** Things in Redis that nothing of ours wrote. */
export const poisonFaults: readonly Fault[] = [...channelPoison, ...keyPoison];
