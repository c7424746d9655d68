import { eventually } from '@posthorn/testing';
import { HttpSender } from './http-sender';
import { Recipient } from './recipient';
import { type Finding, progress } from './report';
import type { ServiceWatch } from './service-watch';
import type { SoakStack } from './soak-stack';

const MAX_PAUSE_MS = 200;
/** How much the gateway's memory may grow during the drain, including the runtime's own heap growth. */
const MAX_GROWTH_MIB = 100;
const TEXT = 'x'.repeat(256);

/**
 * A long absence: many messages wait for one device, which then connects. The gateway sends them window by window.
 * Its memory must not grow with the number of waiting messages, and its event loop must not stop.
 */
export async function runLongDrain(
  stack: SoakStack,
  watch: ServiceWatch,
  messages: number,
): Promise<Finding[]> {
  const sender = new HttpSender(
    stack.sendApis.map((api) => api.url),
    64,
  );
  const token = await stack.token('away-sender');
  const show = progress('waiting', messages);
  let sent = 0;
  let accepted = 0;
  const sendSome = async (): Promise<void> => {
    while (sent < messages) {
      sent++;
      const answer = await sender.send(token, { to: ['away'], text: TEXT });
      if (answer.id !== undefined) accepted++;
      show(accepted);
    }
  };
  await Promise.all(Array.from({ length: 64 }, sendSome));
  sender.close();

  const before = await watch.takeWorst('ws-gateway');
  const gateway = stack.wsGateways[0];
  const startedAt = performance.now();
  const recipient = new Recipient(gateway?.wsUrl ?? '', await stack.token('away'), false);
  await recipient.opened();
  const drained = progress('drained', messages);
  await eventually(
    'caught up',
    () => {
      drained(recipient.received.length);
      return recipient.caughtUpAt !== null && recipient.committed >= accepted;
    },
    600_000,
  );
  const drainMs = (recipient.caughtUpAt ?? 0) - startedAt;
  recipient.close();
  const after = await watch.takeWorst('ws-gateway');
  const growth = after.rssMiB - before.rssMiB;
  return [
    { what: 'messages waiting', value: `${accepted} of ${messages}`, isGood: accepted === messages },
    {
      what: 'messages received',
      value: String(recipient.received.length),
      isGood: recipient.received.length === accepted,
    },
    {
      what: 'twice, out of order, or with a gap',
      value: String(recipient.outOfTurn),
      isGood: recipient.outOfTurn === 0,
    },
    {
      what: 'connect to caughtUp',
      value: `${(drainMs / 1000).toFixed(1)} s, ${(accepted / (drainMs / 1000)).toFixed(0)} per second`,
    },
    {
      what: 'event loop, longest pause: ws-gateway',
      value: `${after.loopPauseMs.toFixed(0)} ms`,
      isGood: after.loopPauseMs <= MAX_PAUSE_MS,
    },
    {
      what: 'memory before / at most',
      value: `${before.rssMiB.toFixed(0)} / ${after.rssMiB.toFixed(0)} MiB`,
      isGood: growth <= MAX_GROWTH_MIB,
    },
  ];
}
