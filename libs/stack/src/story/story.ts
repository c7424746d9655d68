import { setTimeout as sleep } from 'node:timers/promises';
import type { Message } from '@posthorn/protocol';
import { openRedisClient } from '../redis/redis-client';
import type { Stack } from '../stack';
import type { Step } from '../step';
import { findReceipts, sendMessage } from './api-client';
import { ChatSocket } from './chat-socket';

/** The tokens of alice and bob. */
export interface Tokens {
  alice: string;
  bob: string;
}

/** What the story needs. */
export interface StoryOptions {
  stack: Stack;
  redisPrefix: string;
  tokens: Tokens;
  step: Step;
}

const DEVICE = 'story';
const BOUND_MS = 60_000;
const ASK_AGAIN_MS = 2_000;
/** The window of a connection is larger than this, so a long backlog from an earlier day cannot stop the drain. */
const ACK_EVERY = 100;

/**
 * Plays what the product does for two users, alice and bob, and checks each step: a message waits and is delivered,
 * another comes live, is acknowledged and read, and the sender gets the receipts. Works again on kept data. Throws at
 * the first step that fails.
 */
export async function playStory({ stack, redisPrefix, tokens, step }: StoryOptions): Promise<void> {
  const [firstApi, otherApi = firstApi] = stack.sendApis.map(({ url }) => url);
  const [firstGateway, otherGateway = firstGateway] = stack.wsGateways.map(({ wsUrl }) => wsUrl);
  if (!firstApi || !otherApi || !firstGateway || !otherGateway)
    throw new Error('the story needs both services');
  const open: ChatSocket[] = [];
  const connect = async (url: string, token: string) => {
    const socket = await ChatSocket.open({ url, token, device: DEVICE });
    open.push(socket);
    ackOften(socket);
    return socket;
  };

  try {
    const ask = (): Promise<Message> => sendMessage(firstApi, tokens.alice, 'bob', 'Are you there?');
    const waiting = await step('alice sends to bob, who is offline: 201', ask);
    await step(`the message waits in Redis, in the list ${redisPrefix}{bob}:offline`, (say) =>
      seeOfflineList(stack.redisUrl, `${redisPrefix}{bob}:offline`, { waiting, ask, say }),
    );
    const alice = await step('alice connects', async () => {
      const socket = await connect(firstGateway, tokens.alice);
      await socket.waitFor('caughtUp');
      return socket;
    });
    const bob = await step('bob connects to the other gateway and gets what waited', async (say) => {
      const socket = await connect(otherGateway, tokens.bob);
      const { seq } = await socket.waitFor('message', (frame) => frame.message.id === waiting.id);
      const { seq: caughtUp } = await socket.waitFor('caughtUp');
      say(
        `bob connects to the other gateway and gets what waited, number ${seq} in his inbox; caught up at ${caughtUp}`,
      );
      return socket;
    });
    const live = await step('alice sends another one; bob has it at once', async () => {
      const sent = await sendMessage(otherApi, tokens.alice, 'bob', 'Good to see you.');
      return bob.waitFor('message', (frame) => frame.message.id === sent.id);
    });
    await step('bob acknowledges both, and reads them', async () => {
      bob.send({ type: 'ack', seq: live.seq, ref: 'ack' });
      await answered(bob, 'ack');
      bob.send({ type: 'read', ids: [waiting.id, live.message.id], ref: 'read' });
      await answered(bob, 'read');
    });
    await step('alice sees both receipts of both messages: delivered, read', () =>
      seeReceipts(alice, [waiting, live.message]),
    );
    await step('the receipts are kept: GET /v1/messages/ID/receipts', async () => {
      const items = await findReceipts(firstApi, tokens.alice, waiting.id);
      const receipt = items.find(({ user }) => user === 'bob');
      if (!receipt?.deliveredAt || !receipt.readAt) throw new Error(`not recorded: ${JSON.stringify(items)}`);
    });
  } finally {
    for (const socket of open) socket.close();
  }
}

function ackOften(socket: ChatSocket): void {
  let ackedSeq: number | undefined;
  socket.onFrame((frame) => {
    if (frame.type !== 'message') return;
    ackedSeq ??= frame.seq - 1;
    if (frame.seq - ackedSeq < ACK_EVERY) return;
    ackedSeq = frame.seq;
    socket.send({ type: 'ack', seq: frame.seq });
  });
}

async function answered(socket: ChatSocket, ref: string): Promise<void> {
  await Promise.race([
    socket.waitFor('ok', (frame) => frame.ref === ref),
    socket
      .waitFor('error', (frame) => frame.ref === ref)
      .then(({ code, detail }) => Promise.reject(new Error(`${ref} was refused: ${code}, ${detail}`))),
  ]);
}

async function seeReceipts(socket: ChatSocket, messages: readonly Message[]): Promise<void> {
  for (const { id } of messages) {
    for (const status of ['delivered', 'read']) {
      await socket.waitFor('receipt', (frame) => frame.id === id && frame.status === status);
    }
  }
}

/**
 * Waits until the message is in the offline list. Routing may take a moment after the 201. If a busy machine exceeded
 * the 300 ms for routing, the message is in Postgres only, and another one is sent.
 */
async function seeOfflineList(
  url: string,
  key: string,
  options: { waiting: Message; ask: () => Promise<Message>; say: (sentence: string) => void },
): Promise<void> {
  const { waiting, ask, say } = options;
  const redis = openRedisClient(url);
  const ids = [waiting.id];
  try {
    const boundAt = Date.now() + BOUND_MS;
    let askAgainAt = Date.now() + ASK_AGAIN_MS;
    for (;;) {
      const entries = await redis.lrange(key, 0, -1);
      if (ids.some((id) => entries.some((entry) => entry.includes(id)))) {
        return say(`the message waits in Redis, in the list ${key} (length ${entries.length})`);
      }
      if (Date.now() > boundAt) {
        throw new Error(`not in ${key} after ${BOUND_MS / 1_000} s. Is bob connected from elsewhere?`);
      }
      if (Date.now() > askAgainAt) {
        askAgainAt = Date.now() + ASK_AGAIN_MS;
        ids.push((await ask()).id);
      }
      await sleep(20);
    }
  } finally {
    redis.disconnect();
  }
}
