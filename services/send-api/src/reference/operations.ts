import {
  DEFAULT_DELIVERY_PAGE,
  DEFAULT_INBOX_PAGE,
  MAX_DELIVERY_PAGE,
  MAX_INBOX_PAGE,
  MAX_PRESENCE_USERS,
} from '@posthorn/protocol';
import type { ProblemCode } from '@posthorn/runtime';
import { refTo, type Schema } from './schemas';

/** What the reference says of one endpoint. */
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
  /** Beside those that every endpoint may answer. */
  readonly problems: readonly ProblemCode[];
}

/** A success. */
export interface Answer {
  readonly description: string;
  /** Of the body; none for an empty one. */
  readonly schema?: Schema;
  readonly headers?: Readonly<Record<string, Schema>>;
}

const LIMIT_HEADERS = {
  RateLimit: header('What is left of the budget (structured field).', '"sends";r=199;t=1'),
  'RateLimit-Policy': header('The budget (structured field).', '"sends";q=200;w=4'),
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

/** Every endpoint, in the order of the reference. A test holds it against the app's routes. */
export const operations: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/messages',
    id: 'sendMessage',
    tag: 'Messages',
    summary: 'Send a message',
    description:
      'A `201` means that it will arrive: the message and a place in the inbox of each recipient are committed. ' +
      'With an `Idempotency-Key` a repeat is safe: the same body gets the first message again with `200`, another ' +
      'body gets `422`. The rate limit counts against the user of the token, also with `from`.',
    parameters: [
      {
        name: 'Idempotency-Key',
        in: 'header',
        description: 'Your name for this send, kept at least 24 hours for each sender. A UUID does well.',
        schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
      },
    ],
    body: 'SendMessage',
    answers: {
      201: {
        description: 'Accepted: it will arrive.',
        schema: refTo('Message'),
        headers: { Location: LOCATION, ...LIMIT_HEADERS },
      },
      200: {
        description: 'A repeat: the first message. Nothing was sent twice.',
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
    description: 'For its sender and its recipients.',
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
    description: 'For its sender only. One item for each recipient.',
    parameters: [MESSAGE_ID],
    answers: { 200: { description: 'The receipts.', schema: refTo('Receipts') } },
    problems: ['not_found'],
  },
  {
    method: 'get',
    path: '/v1/messages/{id}/delivery',
    id: 'getDelivery',
    tag: 'Receipts',
    summary: 'See how far a message is, and why',
    description:
      'For its sender only. For each recipient and each device: committed, acknowledged, read, where the user is ' +
      'connected now, and in plain words why not yet. What Redis knows is `null` while it is out of reach.',
    parameters: [
      MESSAGE_ID,
      {
        name: 'after',
        in: 'query',
        description: 'Recipients to leave out, in the order of `to`.',
        schema: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 },
      },
      {
        name: 'limit',
        in: 'query',
        description: 'Recipients at most.',
        schema: { type: 'integer', minimum: 1, maximum: MAX_DELIVERY_PAGE, default: DEFAULT_DELIVERY_PAGE },
      },
    ],
    answers: { 200: { description: 'The life of the message.', schema: refTo('Delivery') } },
    problems: ['not_found', 'invalid_query'],
  },
  {
    method: 'post',
    path: '/v1/receipts',
    id: 'readMessages',
    tag: 'Receipts',
    summary: 'Say which messages you have read',
    description: 'All of them or none is recorded. Read implies delivered; a time never changes.',
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
    description: 'In order, for clients without a socket. Go on with the last `seq` as `after`.',
    parameters: [
      {
        name: 'after',
        in: 'query',
        description: 'Entries beyond this `seq`.',
        schema: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 },
      },
      {
        name: 'limit',
        in: 'query',
        description: 'Entries at most.',
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
    description: 'In the order asked, each user once. `503` while Redis is out of reach.',
    parameters: [
      {
        name: 'users',
        in: 'query',
        required: true,
        description: `1 to ${MAX_PRESENCE_USERS} different user ids between commas.`,
        style: 'form',
        explode: false,
        schema: { type: 'array', items: refTo('UserId'), minItems: 1, maxItems: MAX_PRESENCE_USERS },
      },
    ],
    answers: { 200: { description: 'One item for each user.', schema: refTo('Presence') } },
    problems: ['invalid_query'],
  },
  {
    method: 'get',
    path: '/openapi.json',
    id: 'getOpenApi',
    tag: 'Reference',
    summary: 'This reference for machines',
    isPublic: true,
    answers: { 200: { description: 'An OpenAPI 3.1 document.', schema: { type: 'object' } } },
    problems: [],
  },
  {
    method: 'get',
    path: '/asyncapi.json',
    id: 'getAsyncApi',
    tag: 'Reference',
    summary: "The reference of the gateways' WebSocket for machines",
    isPublic: true,
    answers: { 200: { description: 'An AsyncAPI 3.0 document.', schema: { type: 'object' } } },
    problems: [],
  },
];

function header(description: string, example: string): Schema {
  return { description, schema: { type: 'string' }, example };
}
