import type { DialectName } from '../driver/dialect';
import type { BenchStores } from '../world/stores';
import type { MetricKey } from './metrics';
import type { Outcome, Sizes, Trial } from './trial';

/** What to do with a system, and which figures it produces. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** `comparison` is part of a run without options. A `curve` runs only by name or with `--curves`. */
  readonly group: 'comparison' | 'curve';
  readonly systems: readonly DialectName[];
  readonly figures: readonly MetricKey[];
  /** Measures once. Returns one outcome, or one for each point of a curve. */
  run(stores: BenchStores, system: DialectName, rest: Sizes & Pick<Trial, 'say'>): Promise<Outcome[]>;
}
