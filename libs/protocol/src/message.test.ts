import { encodeFrame, encodeMessageFrame } from './frames.ts';
import { asSeenBy, type StoredMessage } from './message.ts';

const message: StoredMessage = {
  id: '019a0000-0000-7000-8000-00000000abcd',
  from: 'alice',
  to: ['bob', 'alice'],
  text: 'hello',
  createdAt: '2026-11-22T12:00:00.000Z',
};

test('§4: the sender sees to, also in its own inbox; any other recipient sees the same without it', () => {
  const { to: _to, ...withoutTo } = message;
  expect(asSeenBy('alice', message)).toEqual(message);
  expect(asSeenBy('bob', message)).toEqual(withoutTo);
  expect(asSeenBy('bob', message)).not.toHaveProperty('to');
  expect(message.to).toEqual(['bob', 'alice']);
});

test('§5: a message frame around encoded JSON is the frame of the message', () => {
  const text = encodeMessageFrame(7, JSON.stringify(message));
  expect(text).toBe(encodeFrame({ type: 'message', seq: 7, message }));
});
