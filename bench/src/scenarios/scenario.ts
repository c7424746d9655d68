import type { DialectName } from '../driver/dialect';
import type { BenchStores } from '../world/stores';
import type { MetricKey } from './metrics';
import type { Outcome, Sizes, Trial } from './trial';

/** What is to be done with a system, and which figures come of it. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** Part of a run without options; else it is asked for by name or with `--curves`. */
  readonly group: 'comparison' | 'curve';
  readonly systems: readonly DialectName[];
  readonly figures: readonly MetricKey[];
  /** Measures once. One outcome, or one for each point of a curve. */
  run(stores: BenchStores, system: DialectName, rest: Sizes & Pick<Trial, 'say'>): Promise<Outcome[]>;
}
