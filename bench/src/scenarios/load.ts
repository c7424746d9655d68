import { setTimeout as sleep } from 'node:timers/promises';
import type { SendOutcome, SendPlan } from '../driver/driver';
import type { RunningSystem } from '../systems/running-system';
import { type CpuByProcess, cpuPer } from './cpu-meter';
import type { Outcome, Trial } from './trial';

/** The load of published comparisons. */
const SENDERS = 64;
export const DEVICES = 1_000;
/** More users than connections, so that no user exceeds the default send limit. */
const SENDING_USERS = 1_024;
/** The most sends of one measurement. At this number it ends early. */
const MAX_MESSAGES = 400_000;

/** This many are sent before measuring, if that does not take too long. */
const WARM_UP_MESSAGES = 8_000;
const MIN_WARM_UP_MESSAGES = 200;
const WARM_UP_BOUND_MS = 10_000;
const MIN_POLL_MS = 10;
const NO_MORE_MS = 60_000;
const CONNECT_BOUND_MS = 120_000;
const PARALLEL_CONNECTS = 64;

/** Each message goes to one of the devices, as fast as possible. */
export const ONE_TO_ONE: Omit<SendPlan, 'ms'> = {
  senders: SENDERS,
  users: SENDING_USERS,
  devices: DEVICES,
  maxMessages: MAX_MESSAGES,
};

/** Connects devices. Throws if one of them is refused. */
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

/** A load and its cost. */
export interface Measured {
  outcome: SendOutcome;
  cpu: CpuByProcess;
  /** Receipts of this load. */
  receipts: number | null;
}

/** Sends for a while without measuring, so that compiled code and caches are as in the long run. Then it measures. */
export async function measureLoad(
  trial: Trial,
  plan: Omit<SendPlan, 'ms'>,
  ms = trial.seconds * 1_000,
): Promise<Measured> {
  const { driver, system, meter } = trial;
  const copies = plan.isToAll === true ? plan.devices : 1;
  const already = await system.countReceipts();
  const warmUp = await driver.call('send', {
    ...plan,
    maxMessages: Math.min(
      plan.maxMessages,
      Math.max(MIN_WARM_UP_MESSAGES, Math.round(WARM_UP_MESSAGES / copies)),
    ),
    ms: WARM_UP_BOUND_MS,
  });
  const before = await receiptsOf(system, already, warmUp.account.due);
  const end = meter.start();
  const outcome = await driver.call('send', { ...plan, ms });
  const after = await receiptsOf(system, before, outcome.account.due);
  const cpu = end();
  return { outcome, cpu, receipts: after === null || before === null ? null : after - before };
}

/**
 * The number of receipts, once there are `due` more than `before`, or no more arrive. Recording late receipts is part
 * of the measurement. It asks rarely, so that it does not disturb the measurement.
 */
export async function receiptsOf(
  system: RunningSystem,
  before: number | null,
  due: number,
): Promise<number | null> {
  const startedAt = performance.now();
  let [count, changedAt] = [await system.countReceipts(), startedAt];
  while (count !== null && count < (before ?? 0) + due && performance.now() - changedAt < NO_MORE_MS) {
    await sleep(Math.max(MIN_POLL_MS, (performance.now() - startedAt) / 10));
    const next = await system.countReceipts();
    if (next !== count) [count, changedAt] = [next, performance.now()];
  }
  return count;
}

/** An outcome with the figures that all loads have. */
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

/** The CPU of each process, divided by `count`. */
export function perEach(cpu: CpuByProcess, count: number): CpuByProcess {
  return cpu === null
    ? null
    : Object.fromEntries(Object.entries(cpu).map(([name, ms]) => [name, ms / Math.max(1, count)]));
}
