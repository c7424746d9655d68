import { eventually } from '@posthorn/testing';
import { HttpSender } from './http-sender';
import { Recipient } from './recipient';
import { type Finding, percentile } from './report';
import type { ServiceWatch } from './service-watch';
import type { SoakStack } from './soak-stack';

const RECIPIENTS = 1_000;
const ROUNDS = 20;
const MAX_PAUSE_MS = 200;

/** Sends one message to a thousand connected users, repeatedly. The event loop must not pause for over 200 ms. */
export async function runFanOut(stack: SoakStack, watch: ServiceWatch): Promise<Finding[]> {
  const names = Array.from({ length: RECIPIENTS }, (_, index) => `fan-${index}`);
  const recipients: Recipient[] = [];
  for (const [index, name] of names.entries()) {
    const gateway = stack.wsGateways[index % stack.wsGateways.length];
    const recipient = new Recipient(gateway?.wsUrl ?? '', await stack.token(name), false);
    await recipient.opened();
    recipients.push(recipient);
  }
  await Promise.all([watch.takeWorst('send-api'), watch.takeWorst('ws-gateway')]);

  const sender = new HttpSender(
    stack.sendApis.map((api) => api.url),
    1,
  );
  const token = await stack.token('fan-sender');
  const waits: number[] = [];
  const arrivals: number[] = [];
  let refused = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const startedAt = performance.now();
    const answer = await sender.send(token, { to: names, text: `round ${round}` });
    if (answer.id === undefined) refused++;
    waits.push(answer.ms);
    await eventually(
      'everybody has it',
      () => recipients.every(({ received }) => received.length >= round),
      30_000,
    );
    arrivals.push(performance.now() - startedAt);
  }
  sender.close();
  await eventually(
    'all acknowledged',
    () => recipients.every(({ committed }) => committed >= ROUNDS),
    30_000,
  );
  const outOfTurn = recipients.reduce((sum, recipient) => sum + recipient.outOfTurn, 0);
  for (const recipient of recipients) recipient.close();

  const api = await watch.takeWorst('send-api');
  const gateway = await watch.takeWorst('ws-gateway');
  waits.sort((a, b) => a - b);
  arrivals.sort((a, b) => a - b);
  return [
    {
      what: 'messages accepted',
      value: `${ROUNDS - refused} of ${ROUNDS}, ${RECIPIENTS} recipients each`,
      isGood: refused === 0,
    },
    { what: 'twice, out of order, or with a gap', value: String(outOfTurn), isGood: outOfTurn === 0 },
    { what: 'POST, median', value: `${percentile(waits, 0.5).toFixed(0)} ms` },
    { what: 'POST to the last recipient, median', value: `${percentile(arrivals, 0.5).toFixed(0)} ms` },
    {
      what: 'deliveries per second, median',
      value: (RECIPIENTS / (percentile(arrivals, 0.5) / 1000)).toFixed(0),
    },
    {
      what: 'event loop, longest pause: send-api / ws-gateway',
      value: `${api.loopPauseMs.toFixed(0)} / ${gateway.loopPauseMs.toFixed(0)} ms`,
      isGood: api.loopPauseMs <= MAX_PAUSE_MS && gateway.loopPauseMs <= MAX_PAUSE_MS,
    },
    {
      what: 'memory at most: send-api / ws-gateway',
      value: `${api.rssMiB.toFixed(0)} / ${gateway.rssMiB.toFixed(0)} MiB`,
    },
  ];
}
