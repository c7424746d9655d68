import type { DialectName } from '../driver/dialect';
import type { BenchStores } from '../world/stores';
import { startPeer } from './peer';
import { startPosthorn } from './posthorn';
import type { RunningSystem, SystemOptions } from './running-system';

/** The systems, in the order of the tables. */
export const systemNames: readonly DialectName[] = ['posthorn', 'hand-made', 'socket.io', 'floor'];

/** Starts one of them, with empty stores. */
export function startSystem(
  name: DialectName,
  stores: BenchStores,
  options: SystemOptions = {},
): Promise<RunningSystem> {
  return name === 'posthorn' ? startPosthorn(stores, options) : startPeer(name, stores, options);
}
