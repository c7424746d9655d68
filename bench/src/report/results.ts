import type { DialectName } from '../driver/dialect';
import type { Outcome } from '../scenarios/trial';

/** One measurement, with its round, scenario and system. */
export interface Sample extends Outcome {
  scenario: string;
  system: DialectName;
  round: number;
}

/** The machine that produced the figures. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  os: string;
  node: string;
  /** Load average of the last minute, before and after the run. */
  loadBefore: number;
  loadAfter: number;
}

/** All results of a run, as in the JSON file. */
export interface Results {
  startedAt: string;
  command: string;
  rounds: number;
  seconds: number;
  machine: Machine;
  samples: Sample[];
}
