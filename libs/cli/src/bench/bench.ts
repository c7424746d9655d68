import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect, type HttpClient, httpClient } from '@posthorn/client';
import { WebSocket } from 'ws';
import { type Context, signToken } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { BenchCounts, type BenchOptions, type BenchResult } from './counts.ts';

/** A gateway repairs losses within its reconcile interval, 15 s by default. */
const ARRIVAL_BOUND_MS = 30_000;
const CONNECT_BOUND_MS = 15_000;
const TICK_MS = 10;
/** The limit of unanswered sends. At the limit the load waits, and the result shows a lower rate. */
const MAX_UNDER_WAY = 1_000;

/**
 * A short load. It creates its own users; all are connected, and each message goes from one to another. A message is
 * timed from when it was due until the recipient's client has handed it out. Each is tried only once, so a send that
 * a retry would have saved counts as refused.
 */
export async function runBench(
  context: Context,
  options: BenchOptions,
  onTick: (counts: BenchCounts, share: number) => void,
): Promise<BenchResult> {
  const run = crypto.randomUUID().slice(0, 8);
  const users = Array.from({ length: options.users }, (_, index) => `bench-${run}-${index + 1}`);
  const counts = new BenchCounts();
  const senders = users.map((user) =>
    httpClient({ api: context.api, token: tokenOf(context, user), patienceMs: 0 }),
  );
  const clients: Client[] = [];
  try {
    await Promise.all(users.map((user) => listen(context, user, counts, clients)));
    await sendAtRate(context, options, users, senders, counts, onTick);
    const boundAt = Date.now() + ARRIVAL_BOUND_MS;
    while (counts.missing > 0 && Date.now() < boundAt && !context.stop.aborted) await sleep(TICK_MS);
    return counts.result(options);
  } finally {
    for (const sender of senders) sender.close();
    await Promise.all(clients.map((client) => client.close()));
  }
}

function tokenOf({ env }: Context, user: string): () => Promise<string> {
  return () => signToken(env, { user });
}

async function listen(context: Context, user: string, counts: BenchCounts, clients: Client[]): Promise<void> {
  const client = connect({
    url: context.gateway,
    api: context.api,
    WebSocket,
    token: tokenOf(context, user),
  });
  clients.push(client);
  client.on('message', ({ message }) => counts.arrived(message.text ?? ''));
  client.on('error', () => counts.failed());
  const within = `within ${CONNECT_BOUND_MS / 1_000} s`;
  let late: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve, reject) => {
    late = setTimeout(
      () => reject(new CliError(EXIT.unavailable, `no connection to ${context.gateway} ${within}`)),
      CONNECT_BOUND_MS,
    );
    client.on('status', (status) => {
      if (status.state === 'online') resolve();
      if (status.state === 'stopped')
        reject(new CliError(EXIT.failed, `the gateway closed with ${status.code}: ${status.why}`));
    });
  }).finally(() => clearTimeout(late));
}

async function sendAtRate(
  { stop }: Context,
  { rate, seconds }: BenchOptions,
  users: readonly string[],
  senders: readonly HttpClient[],
  counts: BenchCounts,
  onTick: (counts: BenchCounts, share: number) => void,
): Promise<void> {
  const startedAt = performance.now();
  const total = rate * seconds;
  const underWay = new Set<Promise<void>>();
  for (let next = 0; next < total && !stop.aborted; ) {
    const elapsedMs = performance.now() - startedAt;
    for (; next < total && (next * 1_000) / rate <= elapsedMs && underWay.size < MAX_UNDER_WAY; next += 1) {
      const dueAt = startedAt + (next * 1_000) / rate;
      const from = next % users.length;
      const to =
        (from + 1 + (Math.floor(next / users.length) % Math.max(1, users.length - 1))) % users.length;
      const sending = sendOne(senders[from], users[to] ?? '', next, dueAt, counts).finally(() =>
        underWay.delete(sending),
      );
      underWay.add(sending);
    }
    onTick(counts, next / total);
    await sleep(TICK_MS);
  }
  await Promise.all(underWay);
}

async function sendOne(
  sender: HttpClient | undefined,
  to: string,
  place: number,
  dueAt: number,
  counts: BenchCounts,
): Promise<void> {
  const text = `bench ${place}`;
  counts.due(text, dueAt);
  try {
    await sender?.send({ to, text });
    counts.accepted(text);
  } catch (error) {
    counts.refused(error);
  }
}
