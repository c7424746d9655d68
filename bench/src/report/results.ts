import type { DialectName } from '../driver/dialect';
import type { Outcome } from '../scenarios/trial';

/** One measurement, with where it belongs. */
export interface Sample extends Outcome {
  scenario: string;
  system: DialectName;
  round: number;
}

/** The machine that the figures come from. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  os: string;
  node: string;
  /** Load average of the last minute, before and after. */
  loadBefore: number;
  loadAfter: number;
}

/** Everything that a run gave: the JSON file. */
export interface Results {
  startedAt: string;
  command: string;
  rounds: number;
  seconds: number;
  machine: Machine;
  samples: Sample[];
}
