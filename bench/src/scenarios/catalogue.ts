import { connect } from './connect';
import { connections } from './connections';
import { drain } from './drain';
import { fanOut } from './fan-out';
import { hotRecipient, hotSender } from './hot';
import { idle } from './idle';
import { latency } from './latency';
import { recipients } from './recipients';
import { saturated } from './saturated';
import type { Scenario } from './scenario';
import { storage } from './storage';
import { storm } from './storm';
import { inbox, messages, users } from './tables';
import { upkeep } from './upkeep';
import { workers } from './workers';

/** Every scenario, in the order of runs and reports. */
export const scenarios: readonly Scenario[] = [
  saturated,
  latency,
  fanOut,
  drain,
  connect,
  idle,
  upkeep,
  storage,
  recipients,
  connections,
  hotRecipient,
  hotSender,
  users,
  inbox,
  messages,
  workers,
  storm,
];
