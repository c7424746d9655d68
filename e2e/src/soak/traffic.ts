import { eventually } from '@posthorn/testing';
import { HttpSender } from './http-sender';
import { Recipient } from './recipient';
import { type Finding, percentile, progress } from './report';
import type { ServiceWatch } from './service-watch';
import type { SoakStack } from './soak-stack';

/** How much traffic. */
export interface TrafficOptions {
  messages: number;
  users: number;
  /** Requests in flight at the same time. */
  senders: number;
}

const TEXT = 'x'.repeat(256);
const SETTLE_MS = 120_000;

/**
 * Messages between users, through all send-apis and gateways. Half of the users are offline at first and connect
 * during the run. Every message must reach its recipient once and in order, and both receipts must be recorded.
 */
export async function runTraffic(
  stack: SoakStack,
  watch: ServiceWatch,
  options: TrafficOptions,
): Promise<Finding[]> {
  const { messages, users, senders } = options;
  const names = Array.from({ length: users }, (_, index) => `soak-${index}`);
  const tokens = await Promise.all(names.map((name) => stack.token(name)));
  const recipients: (Recipient | null)[] = names.map(() => null);
  const connect = async (index: number): Promise<void> => {
    const gateway = stack.wsGateways[index % stack.wsGateways.length];
    const recipient = new Recipient(gateway?.wsUrl ?? '', tokens[index] ?? '', true);
    recipients[index] = recipient;
    await recipient.opened();
  };
  for (let index = 0; index < users / 2; index++) await connect(index);

  const sender = new HttpSender(
    stack.sendApis.map((api) => api.url),
    senders,
  );
  const expected = names.map(() => new Set<string>());
  const waits: number[] = [];
  const show = progress('sent', messages);
  let sent = 0;
  let answered = 0;
  let refused = 0;
  let connected = users / 2;
  const sendSome = async (): Promise<void> => {
    while (sent < messages) {
      const n = sent++;
      const from = (n * 7) % users;
      const to = Math.floor(Math.random() * users);
      const answer = await sender.send(tokens[from] ?? '', { to: [names[to]], text: TEXT });
      waits.push(answer.ms);
      if (answer.id === undefined) refused++;
      else expected[to]?.add(answer.id);
      show(++answered);
      // The offline half connects one by one, while 10 % to 90 % of the messages are answered.
      const due = users / 2 + (users / 2) * Math.min(1, Math.max(0, (answered / messages - 0.1) / 0.8));
      while (connected < due) await connect(connected++);
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: senders }, sendSome));
  const sentMs = performance.now() - startedAt;
  while (connected < users) await connect(connected++);
  sender.close();

  const total = expected.reduce((sum, ids) => sum + ids.size, 0);
  const received = (): number =>
    recipients.reduce((sum, recipient) => sum + (recipient?.received.length ?? 0), 0);
  await eventually('all messages arrive', () => received() >= total, SETTLE_MS);
  const arrivedMs = performance.now() - startedAt;
  const counts = await eventually('all receipts are recorded', () => receiptsOf(stack, total), SETTLE_MS);
  const receiptsMs = performance.now() - startedAt;

  const missing = expected.reduce((sum, ids, index) => sum + countMissing(ids, recipients[index]), 0);
  const foreign = expected.reduce((sum, ids, index) => sum + countForeign(ids, recipients[index]), 0);
  const outOfTurn = recipients.reduce((sum, recipient) => sum + (recipient?.outOfTurn ?? 0), 0);
  const frames = recipients.reduce((sum, r) => sum + (r?.deliveredFrames ?? 0) + (r?.readFrames ?? 0), 0);
  for (const recipient of recipients) recipient?.close();

  waits.sort((a, b) => a - b);
  const api = await watch.takeWorst('send-api');
  const gateway = await watch.takeWorst('ws-gateway');
  return [
    { what: 'messages accepted', value: `${total} of ${messages}`, isGood: refused === 0 },
    { what: 'messages received', value: String(received()), isGood: received() === total },
    { what: 'missing', value: String(missing), isGood: missing === 0 },
    { what: 'twice, out of order, or with a gap', value: String(outOfTurn), isGood: outOfTurn === 0 },
    { what: 'to the wrong user', value: String(foreign), isGood: foreign === 0 },
    { what: 'delivered receipts', value: String(counts.delivered), isGood: counts.delivered === total },
    { what: 'read receipts', value: String(counts.read), isGood: counts.read === total },
    { what: 'receipt frames to connected senders', value: String(frames) },
    { what: 'sends per second', value: (total / (sentMs / 1000)).toFixed(0) },
    {
      what: 'POST, p50 / p99',
      value: `${percentile(waits, 0.5).toFixed(1)} / ${percentile(waits, 0.99).toFixed(1)} ms`,
    },
    {
      what: 'last message arrived after',
      value: `${(arrivedMs / 1000).toFixed(1)} s (sending took ${(sentMs / 1000).toFixed(1)} s)`,
    },
    { what: 'last receipt recorded after', value: `${(receiptsMs / 1000).toFixed(1)} s` },
    {
      what: 'event loop, longest pause: send-api / ws-gateway',
      value: `${api.loopPauseMs.toFixed(0)} / ${gateway.loopPauseMs.toFixed(0)} ms`,
    },
    {
      what: 'memory at most: send-api / ws-gateway',
      value: `${api.rssMiB.toFixed(0)} / ${gateway.rssMiB.toFixed(0)} MiB`,
    },
  ];
}

async function receiptsOf(
  stack: SoakStack,
  total: number,
): Promise<{ delivered: number; read: number } | false> {
  const [row] = await stack.query<{ delivered: string; read: string }>(
    'SELECT count(delivered_at) AS delivered, count(read_at) AS read FROM receipt',
  );
  const counts = { delivered: Number(row?.delivered), read: Number(row?.read) };
  return counts.delivered >= total && counts.read >= total ? counts : false;
}

function countMissing(ids: ReadonlySet<string>, recipient: Recipient | null | undefined): number {
  const received = new Set(recipient?.received);
  return [...ids].filter((id) => !received.has(id)).length;
}

function countForeign(ids: ReadonlySet<string>, recipient: Recipient | null | undefined): number {
  return recipient?.received.filter((id) => !ids.has(id)).length ?? 0;
}
