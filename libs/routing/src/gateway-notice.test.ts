import { type GatewayNotice, parseGatewayNotice, parseListedEntry } from './gateway-notice';

const message = { id: 'm1', from: 'alice', createdAt: '2026-11-22T12:00:00.000Z' };
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
        message: { ...message, to: ['bob'], text: '', data: {} },
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
  ['{"type":"takeover","user":"bob","device":"phone","epoch":"e"}', 'no fence'],
  ['{"type":"takeover","user":"bob","device":"phone","epoch":"e","fence":"3"}', 'a fence as text'],
  ['{"type":"takeover","user":"bob","device":"phone","fence":3}', 'a fence of no epoch'],
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
  '{"seq":1,"epoch":"e","message":{"id":"m1","from":"alice","createdAt":"x","text":5}}',
  '{"seq":1,"epoch":"e","message":{"id":"m1","from":"alice","createdAt":"x","data":[]}}',
  '{"seq":1,"epoch":"e","message":{"id":"m1","from":"alice","createdAt":"x","to":["not a user"]}}',
])('§6: %s is rubbish in the list', (text) => {
  expect(parseListedEntry(text)).toBeNull();
});
