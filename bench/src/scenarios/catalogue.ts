import { connect } from './connect';
import { drain } from './drain';
import { fanOut } from './fan-out';
import { idle } from './idle';
import { latency } from './latency';
import { saturated } from './saturated';
import type { Scenario } from './scenario';

/** Every scenario, in the order in which they are run and told. */
export const scenarios: readonly Scenario[] = [saturated, latency, fanOut, drain, connect, idle];
