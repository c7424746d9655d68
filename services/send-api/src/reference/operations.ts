import {
  DEFAULT_DELIVERY_PAGE,
  DEFAULT_INBOX_PAGE,
  MAX_DELIVERY_PAGE,
  MAX_INBOX_PAGE,
  MAX_PRESENCE_USERS,
} from '@posthorn/protocol';
import type { ProblemCode } from '@posthorn/runtime';
import { refTo, type Schema } from './schemas';

/** One endpoint, as the reference describes it. */
export interface Operation {
  readonly method: 'get' | 'post';
  /** As OpenAPI writes it: `/v1/messages/{id}`. */
  readonly path: string;
  readonly id: string;
  readonly tag: 'Messages' | 'Receipts' | 'Inbox' | 'Presence' | 'Reference';
  readonly summary: string;
  readonly description?: string;
  readonly isPublic?: true;
  readonly parameters?: readonly Schema[];
  /** The name of the body's schema. */
  readonly body?: string;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Problems of this endpoint, in addition to those of every endpoint. */
  readonly problems: readonly ProblemCode[];
}

/** A successful answer. */
export interface Answer {
  readonly description: string;
  /** The schema of the body; absent if there is no body. */
  readonly schema?: Schema;
  readonly headers?: Readonly<Record<string, Schema>>;
}

const LIMIT_HEADERS = {
  RateLimit: header('The sends that are left (a structured field).', '"sends";r=199;t=1'),
  'RateLimit-Policy': header(
    'The limit: sends per window of seconds (a structured field).',
    '"sends";q=200;w=4',
  ),
};
const LOCATION = header('The path of the message.', '/v1/messages/019a5f3c-6c1e-7b52-9f0e-2f4a1f0c7d11');
const MESSAGE_ID: Schema = { name: 'id', in: 'path', required: true, schema: refTo('MessageId') };
const BODY_PROBLEMS = [
  'invalid_json',
  'empty_body',
  'invalid_utf8',
  'payload_too_large',
  'unsupported_media_type',
  'invalid_message',
] as const;

/** Every endpoint, in the order of the reference. A test compares it with the routes of the app. */
export const operations: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/messages',
    id: 'sendMessage',
    tag: 'Messages',
    summary: 'Send a message',
    description:
      'A `201` means that the message will arrive: it is committed, with an entry in the inbox of each recipient. ' +
      'An `Idempotency-Key` makes a retry safe: the same body gets `200` with the first message, and another body ' +
      'gets `422`. The rate limit counts for the user of the token, also with `from`.',
    parameters: [
      {
        name: 'Idempotency-Key',
        in: 'header',
        description:
          'Your name for this send, for example a UUID. It is kept for at least 24 hours, per sender.',
        schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
      },
    ],
    body: 'SendMessage',
    answers: {
      201: {
        description: 'Accepted: the message will arrive.',
        schema: refTo('Message'),
        headers: { Location: LOCATION, ...LIMIT_HEADERS },
      },
      200: {
        description: 'A repeat of an earlier send: the first message. Nothing was sent twice.',
        schema: refTo('Message'),
        headers: {
          Location: LOCATION,
          'Idempotency-Replayed': header('Always `true`.', 'true'),
          ...LIMIT_HEADERS,
        },
      },
    },
    problems: [
      ...BODY_PROBLEMS,
      'invalid_idempotency_key',
      'forbidden_from',
      'idempotency_conflict',
      'rate_limited',
      'overloaded',
    ],
  },
  {
    method: 'get',
    path: '/v1/messages/{id}',
    id: 'getMessage',
    tag: 'Messages',
    summary: 'Read a message',
    description: 'Only the sender and the recipients may read it.',
    parameters: [MESSAGE_ID],
    answers: { 200: { description: 'The message as you see it.', schema: refTo('Message') } },
    problems: ['not_found'],
  },
  {
    method: 'get',
    path: '/v1/messages/{id}/receipts',
    id: 'getReceipts',
    tag: 'Receipts',
    summary: 'See who has received and read a message',
    description: 'For the sender only. One item per recipient, in the order of `to`.',
    parameters: [MESSAGE_ID],
    answers: { 200: { description: 'The receipts.', schema: refTo('Receipts') } },
    problems: ['not_found'],
  },
  {
    method: 'get',
    path: '/v1/messages/{id}/delivery',
    id: 'getDelivery',
    tag: 'Receipts',
    summary: 'See the delivery status of a message',
    description:
      'For the sender only. Delivery status per recipient and device, with the reason in plain words if the ' +
      'message is still waiting. Values that only Redis knows are `null` while Redis is unreachable.',
    parameters: [
      MESSAGE_ID,
      {
        name: 'after',
        in: 'query',
        description: 'Skips this many recipients, in the order of `to`.',
        schema: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 },
      },
      {
        name: 'limit',
        in: 'query',
        description: 'The most recipients to return.',
        schema: { type: 'integer', minimum: 1, maximum: MAX_DELIVERY_PAGE, default: DEFAULT_DELIVERY_PAGE },
      },
    ],
    answers: { 200: { description: 'The delivery status.', schema: refTo('Delivery') } },
    problems: ['not_found', 'invalid_query'],
  },
  {
    method: 'post',
    path: '/v1/receipts',
    id: 'readMessages',
    tag: 'Receipts',
    summary: 'Mark messages as read',
    description: 'All ids are recorded, or none. Read implies delivered. A recorded time never changes.',
    body: 'ReadReceipts',
    answers: { 204: { description: 'Recorded.' } },
    problems: [...BODY_PROBLEMS, 'not_found', 'overloaded'],
  },
  {
    method: 'get',
    path: '/v1/inbox',
    id: 'readInbox',
    tag: 'Inbox',
    summary: 'Read your inbox',
    description:
      'Entries in order, for clients without a WebSocket. Reading moves no cursor. For the next page, set `after` to ' +
      'the highest `seq` of this page, in `items` or in `skipped`.',
    parameters: [
      {
        name: 'after',
        in: 'query',
        description: 'Returns the entries after this `seq`.',
        schema: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 },
      },
      {
        name: 'limit',
        in: 'query',
        description: 'The most entries to return.',
        schema: { type: 'integer', minimum: 1, maximum: MAX_INBOX_PAGE, default: DEFAULT_INBOX_PAGE },
      },
    ],
    answers: { 200: { description: 'A page of the inbox.', schema: refTo('InboxPage') } },
    problems: ['invalid_query'],
  },
  {
    method: 'get',
    path: '/v1/presence',
    id: 'getPresence',
    tag: 'Presence',
    summary: 'See who is online',
    description: 'Users come in the order asked, each once. `503` while Redis is unreachable.',
    parameters: [
      {
        name: 'users',
        in: 'query',
        required: true,
        description: `1 to ${MAX_PRESENCE_USERS} different user ids, separated by commas.`,
        style: 'form',
        explode: false,
        schema: { type: 'array', items: refTo('UserId'), minItems: 1, maxItems: MAX_PRESENCE_USERS },
      },
    ],
    answers: { 200: { description: 'One item per user.', schema: refTo('Presence') } },
    problems: ['invalid_query'],
  },
  {
    method: 'get',
    path: '/openapi.json',
    id: 'getOpenApi',
    tag: 'Reference',
    summary: 'This reference as an OpenAPI document',
    isPublic: true,
    answers: { 200: { description: 'An OpenAPI 3.1 document.', schema: { type: 'object' } } },
    problems: [],
  },
  {
    method: 'get',
    path: '/asyncapi.json',
    id: 'getAsyncApi',
    tag: 'Reference',
    summary: 'The WebSocket reference as an AsyncAPI document',
    isPublic: true,
    answers: { 200: { description: 'An AsyncAPI 3.0 document.', schema: { type: 'object' } } },
    problems: [],
  },
];

function header(description: string, example: string): Schema {
  return { description, schema: { type: 'string' }, example };
}
