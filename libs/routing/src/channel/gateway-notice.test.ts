import type { JsonObject } from '@posthorn/protocol';
import { type GatewayNotice, parseGatewayNotice, parseListedEntry } from './gateway-notice';

const message = { id: 'm1', from: 'alice', createdAt: '2026-11-22T12:00:00.000Z' };
/** An object with this many levels. */
function nested(levels: number): JsonObject {
  return levels === 1 ? {} : { a: nested(levels - 1) };
}

/** A notice of one message. */
function entriesOf(of: object): string {
  return JSON.stringify({ type: 'entries', items: [{ epoch: 'e', to: [['bob', 1]], message: of }] });
}

const news = { messageId: 'm1', sender: 'a', user: 'b', status: 'read', at: 'now' } as const;

test.each<GatewayNotice>([
  {
    type: 'entries',
    items: [
      {
        epoch: 'e',
        to: [
          ['bob', 1],
          ['carol', 2],
        ],
        message: { ...message, to: ['bob'], text: '', data: nested(64) },
      },
    ],
  },
  { type: 'entries', items: [{ epoch: 'e', to: [] }] },
  { type: 'entries', items: [] },
  { type: 'receipts', news: [news, { ...news, status: 'delivered' }] },
  { type: 'takeover', user: 'bob', device: 'phone', fence: 3, epoch: 'e' },
  { type: 'disconnect', user: 'bob' },
  { type: 'disconnect', user: 'bob', device: 'phone' },
  { type: 'surplus', user: 'bob', device: 'phone' },
  { type: 'inspect', id: '0123456789abcdef0123456789abcdef', after: 0, limit: 500 },
  { type: 'probe', nonce: 'n' },
])('§6: a notice on the channel comes out as it was put in: %j', (notice) => {
  expect(parseGatewayNotice(JSON.stringify(notice))).toEqual(notice);
});

test.each([
  ['', 'nothing'],
  ['{', 'no JSON'],
  ['null', 'null'],
  ['[]', 'an array'],
  ['{}', 'no type'],
  ['{"type":"toString"}', 'an unknown type'],
  ['{"type":"entries"}', 'no items'],
  ['{"type":"entries","items":{}}', 'items that are no array'],
  ['{"type":"entries","items":[null]}', 'an item that is none'],
  ['{"type":"entries","items":[{"to":[]}]}', 'no epoch'],
  ['{"type":"entries","items":[{"epoch":"e","to":[["bob"]]}]}', 'a place without seq'],
  ['{"type":"entries","items":[{"epoch":"e","to":[["bob",0]]}]}', 'a seq below 1'],
  ['{"type":"entries","items":[{"epoch":"e","to":[["bob",1.5]]}]}', 'a seq with a fraction'],
  ['{"type":"entries","items":[{"epoch":"e","to":[["bob",1]],"message":{"id":"m"}}]}', 'half a message'],
  ['{"type":"receipts","news":[{}]}', 'news that is none'],
  [`{"type":"receipts","news":[${JSON.stringify({ ...news, status: 'seen' })}]}`, 'an unknown status'],
  ['{"type":"inspect","id":"short","after":0,"limit":1}', 'an answer that nobody waits for'],
  [`{"type":"inspect","id":"${'0'.repeat(32)}","after":-1,"limit":1}`, 'a place before the first'],
  [`{"type":"inspect","id":"${'0'.repeat(32)}","after":0,"limit":501}`, 'too many connections'],
  ['{"type":"takeover","user":"bob","device":"phone","epoch":"e"}', 'no fence'],
  ['{"type":"takeover","user":"bob","device":"phone","epoch":"e","fence":"3"}', 'a fence as text'],
  ['{"type":"takeover","user":"bob","device":"phone","fence":3}', 'a fence of no epoch'],
  [entriesOf({ ...message, createdAt: 'rubbish' }), 'a message of no time'],
  [entriesOf({ ...message, data: nested(65) }), 'data nested too deep'],
  [entriesOf({ ...message, more: nested(65) }), 'a field nested too deep'],
  [
    entriesOf(message).replace('"alice"', `"alice","data":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`),
    'data that no stack takes',
  ],
  ['{"type":"disconnect"}', 'nobody to disconnect'],
  ['{"type":"disconnect","user":"bob","device":null}', 'a device that is none'],
  ['{"type":"surplus","user":"bob"}', 'no device'],
  ['{"type":"probe"}', 'no nonce'],
])('§6: %s is rubbish on the channel: %s', (text) => {
  expect(parseGatewayNotice(text)).toBeNull();
});

test.each([
  '',
  'null',
  '{}',
  '{"seq":1}',
  '{"seq":-1,"epoch":"e"}',
  '{"seq":1,"epoch":2}',
  '{"seq":1,"epoch":"e","message":null}',
  ...[
    { text: 5 },
    { data: [] },
    { to: ['not a user'] },
    { createdAt: 'rubbish' },
    { data: nested(65) },
    { more: nested(65) },
  ].map((more) => JSON.stringify({ seq: 1, epoch: 'e', message: { ...message, ...more } })),
])('§6: %s is rubbish in the list', (text) => {
  expect(parseListedEntry(text)).toBeNull();
});
