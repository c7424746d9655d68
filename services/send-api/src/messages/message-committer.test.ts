import type { AcceptedMessage, AcceptOutcome, NewMessage } from '@posthorn/inbox';
import { createMetrics } from '@posthorn/runtime';
import { createSendApiMetrics } from '../metrics';
import { SEND_API_WAITS } from '../send-api-waits';
import { type CommitterOptions, MessageCommitter } from './message-committer';

/** The waits of production on a clock that stands still, unless a test moves it. */
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
});

afterEach(() => {
  jest.useRealTimers();
});

const users = (count: number): string[] => Array.from({ length: count }, (_, index) => `u${index}`);
const message = (text: string, to: readonly string[] = ['bob']): NewMessage => ({
  sender: 'alice',
  to,
  text,
});

function accepted(send: NewMessage): AcceptedMessage {
  const { sender, to, text = '' } = send;
  return {
    kind: 'accepted',
    message: { id: text, from: sender, to, text, createdAt: '' },
    epoch: 'e',
    entries: to.map((user) => ({ user, seq: 1 })),
  };
}

function committerWith(options: Partial<CommitterOptions>): MessageCommitter {
  return new MessageCommitter({
    tracing: null,
    accept: async (sends) => sends.map(accepted),
    route: async () => ({ published: 0, listed: 0, unknown: 0 }),
    maxRecipients: 1_000,
    waits: SEND_API_WAITS,
    metrics: createSendApiMetrics(createMetrics('send-api')),
    onRouteError: () => undefined,
    ...options,
  });
}

/** A promise, and the function that settles it. */
function gate(): { opened: Promise<void>; open: () => void } {
  const controller = new AbortController();
  const opened = new Promise<void>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  return { opened, open: () => controller.abort() };
}

test('messages that come together are committed together, each with its own outcome', async () => {
  const batches: string[][] = [];
  const committer = committerWith({
    accept: async (sends) => {
      batches.push(sends.map(({ text }) => text ?? ''));
      return sends.map((send): AcceptOutcome | Error =>
        send.text === 'bad' ? new Error('bad') : send.text === 'used' ? { kind: 'conflict' } : accepted(send),
      );
    },
  });
  const results = await Promise.allSettled(
    ['a', 'bad', 'used', 'b'].map((text) => committer.commit(message(text))),
  );
  expect(batches).toEqual([['a', 'bad', 'used', 'b']]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(committer.pending).toBe(0);
});

test('only what was accepted is routed, once, and a failure of routing is no failure of the send', async () => {
  const routed: string[] = [];
  const errors: unknown[] = [];
  const committer = committerWith({
    accept: async (sends) =>
      sends.map((send) => (send.text === 'used' ? { kind: 'conflict' as const } : accepted(send))),
    route: async (batch) => {
      routed.push(...batch.map(({ message: { id } }) => id));
      throw new Error('no route');
    },
    onRouteError: (error) => errors.push(error),
  });
  const commits = await Promise.all(['a', 'used', 'b'].map((text) => committer.commit(message(text))));
  await Promise.all(commits.map((commit) => commit.routed));
  expect(routed).toEqual(['a', 'b']);
  expect(errors).toHaveLength(1);
});

test('a message to one user does not wait behind messages to thousands', async () => {
  const { opened, open } = gate();
  const committer = committerWith({
    accept: async (sends) => {
      if (sends.some(({ to }) => to.length > 100)) await opened;
      return sends.map(accepted);
    },
  });
  const wide = Promise.all(Array.from({ length: 20 }, () => committer.commit(message('wide', users(1_000)))));
  await expect(committer.commit(message('narrow'))).resolves.toMatchObject({ outcome: { kind: 'accepted' } });
  open();
  expect(await wide).toHaveLength(20);
});

test('§4.8: what waited too long for its turn is refused and never committed', async () => {
  const { opened, open } = gate();
  const committed: string[] = [];
  const committer = committerWith({
    accept: async (sends) => {
      if (sends[0]?.text?.startsWith('slow')) await opened;
      committed.push(...sends.map(({ text }) => text ?? ''));
      return sends.map(accepted);
    },
  });
  const nameOfError = (text: string): Promise<string> =>
    committer.commit(message(text)).then(
      () => 'none',
      (error: Error) => error.name,
    );
  const first = nameOfError('slow-1');
  await new Promise((resolve) => setImmediate(resolve));
  const second = nameOfError('slow-2');
  await new Promise((resolve) => setImmediate(resolve));
  const late = nameOfError('late');
  jest.advanceTimersByTime(SEND_API_WAITS.postgresMs);
  expect(await Promise.all([first, second, late])).toEqual(['OutageError', 'OutageError', 'OutageError']);
  open();
  await committer.idle();
  expect(committed).toEqual(['slow-1', 'slow-2']);
});

test('§4.8: the longest wait leaves room for an answer within 2 s', () => {
  expect(SEND_API_WAITS.postgresMs).toBeLessThan(2_000);
});

test('§4.8: too many waiting messages are refused at once', async () => {
  const { opened, open } = gate();
  const committer = committerWith({
    accept: async (sends) => {
      await opened;
      return sends.map(accepted);
    },
  });
  const waiting = Array.from({ length: 4_096 }, (_, index) => committer.commit(message(String(index))));
  await expect(committer.commit(message('one more'))).rejects.toMatchObject({ name: 'OverloadedError' });
  open();
  expect(await Promise.all(waiting)).toHaveLength(4_096);
});
