import type { SendOutcome, SendPlan } from '../driver/driver';
import { type CpuByProcess, cpuPer } from './cpu-meter';
import type { Outcome, Trial } from './trial';

/** The load of the published comparisons. */
const SENDERS = 64;
export const DEVICES = 1_000;
/** More users than connections: with the default limits none of them sends too fast. */
const SENDING_USERS = 1_024;
/** Sends of one measurement, at most: it ends earlier then. */
const MAX_MESSAGES = 400_000;

const WARM_UP_MS = 2_000;
const CONNECT_BOUND_MS = 120_000;
const PARALLEL_CONNECTS = 64;

/** One message to one of the devices, as fast as it goes. */
export const ONE_TO_ONE: Omit<SendPlan, 'ms'> = {
  senders: SENDERS,
  users: SENDING_USERS,
  devices: DEVICES,
  maxMessages: MAX_MESSAGES,
};

/** Connects devices; throws where one of them is refused. */
export async function connectAll({ driver }: Trial, count: number, from = 0): Promise<void> {
  const { ready, failures } = await driver.call('connect', {
    from,
    count,
    parallel: PARALLEL_CONNECTS,
    boundMs: CONNECT_BOUND_MS,
  });
  if (ready < count) {
    throw new Error(`only ${ready} of ${count} devices could connect: ${JSON.stringify(failures)}`);
  }
}

/** A load and what it cost. */
export interface Measured {
  outcome: SendOutcome;
  cpu: CpuByProcess;
  /** Receipts of this load. */
  receipts: number | null;
}

/** Sends for a while unmeasured, then measured: what is compiled and cached is then as it is in the long run. */
export async function measureLoad(
  trial: Trial,
  plan: Omit<SendPlan, 'ms'>,
  ms = trial.seconds * 1_000,
): Promise<Measured> {
  await trial.driver.call('send', { ...plan, ms: Math.min(WARM_UP_MS, ms) });
  const before = await trial.system.countReceipts();
  const end = trial.meter.start();
  const outcome = await trial.driver.call('send', { ...plan, ms });
  const cpu = end();
  const after = await trial.system.countReceipts();
  return { outcome, cpu, receipts: after === null || before === null ? null : after - before };
}

/** The outcome with the figures that all loads have. */
export function loadOutcome({ outcome, cpu, receipts }: Measured): Outcome {
  const { account, ms, post, frame } = outcome;
  const cpuMs = cpuPer(cpu, account.accepted);
  const cpuMsPerDelivery = cpuPer(cpu, account.arrived);
  return {
    figures: {
      sendsPerSecond: (account.accepted * 1_000) / ms,
      deliveriesPerSecond: (account.arrived * 1_000) / ms,
      ...(cpuMs === undefined ? {} : { cpuMs }),
      ...(cpuMsPerDelivery === undefined ? {} : { cpuMsPerDelivery }),
      postP50: post.p50,
      postP99: post.p99,
      frameP50: frame.p50,
      frameP99: frame.p99,
    },
    cpu: perEach(cpu, account.accepted),
    account,
    receipts,
  };
}

/** The CPU of each process for one of `count`. */
export function perEach(cpu: CpuByProcess, count: number): CpuByProcess {
  return cpu === null
    ? null
    : Object.fromEntries(Object.entries(cpu).map(([name, ms]) => [name, ms / Math.max(1, count)]));
}
