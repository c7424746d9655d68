import { MAX_DELIVERY_PAGE, MAX_INBOX_PAGE, MAX_PRESENCE_USERS } from '@posthorn/protocol';
import { problemsCatalogue } from '@posthorn/runtime';
import { targetConstructorToSchema } from 'class-validator-jsonschema';
import type { SendMessageDto } from '../messages/send-message.dto';
import { ReadReceiptsDto } from '../receipts/read-receipts.dto';

/** A JSON Schema (2020-12), the dialect of OpenAPI 3.1. */
export type Schema = Readonly<Record<string, unknown>>;

/** A reference to one of `componentSchemas`. */
export function refTo(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** Every schema of the reference. The schemas of bodies come from the DTOs that validate them. */
export function componentSchemas(SendMessage: new () => SendMessageDto): Readonly<Record<string, Schema>> {
  return {
    UserId: { type: 'string', pattern: USER_ID_PATTERN, examples: ['alice'] },
    MessageId: { type: 'string', format: 'uuid', examples: ['019a5f3c-6c1e-7b52-9f0e-2f4a1f0c7d11'] },
    SendMessage: {
      ...schemaOf(SendMessage),
      anyOf: [{ required: ['text'] }, { required: ['data'] }],
      additionalProperties: false,
    },
    ReadReceipts: { ...schemaOf(ReadReceiptsDto), additionalProperties: false },
    Message,
    Receipts: listOf({
      user: refTo('UserId'),
      deliveredAt: {
        ...TIME_OR_NULL,
        description: "When the first of the user's devices acknowledged the message; null until then.",
      },
      readAt: { ...TIME_OR_NULL, description: 'When the user first read the message; null until then.' },
    }),
    Delivery,
    InboxPage: listOf(
      { seq: SEQ, message: refTo('Message') },
      MAX_INBOX_PAGE,
      { lastSeq: { type: 'integer', minimum: 0, description: 'The newest `seq` of the whole inbox.' } },
      {
        skipped: {
          type: 'array',
          items: { type: 'object', required: ['from', 'to'], properties: { from: SEQ, to: SEQ } },
          description:
            'Ranges of `seq` whose entries were deleted, with both ends included. Absent if there are none.',
        },
      },
    ),
    Presence: listOf(
      {
        user: refTo('UserId'),
        online: { type: 'boolean' },
        lastSeenAt: {
          ...TIME_OR_NULL,
          description: 'When the last connection ended; null if none has ended yet.',
        },
      },
      MAX_PRESENCE_USERS,
    ),
    Problem,
  };
}

const USER_ID_PATTERN = '^[A-Za-z0-9._:@-]{1,128}$';
const SEQ: Schema = { type: 'integer', minimum: 1 };
const TIME: Schema = { type: 'string', format: 'date-time', examples: ['2026-11-22T12:00:00.000Z'] };
const TIME_OR_NULL: Schema = { type: ['string', 'null'], format: 'date-time' };

const Message: Schema = {
  type: 'object',
  description: 'A message, as its reader sees it.',
  required: ['id', 'from', 'createdAt'],
  properties: {
    id: refTo('MessageId'),
    from: refTo('UserId'),
    to: { type: 'array', items: refTo('UserId'), description: 'The recipients. Only the sender sees them.' },
    text: { type: 'string', description: 'Absent if it was not given.' },
    data: { type: 'object', additionalProperties: true, description: 'Absent if it was not given.' },
    createdAt: TIME,
  },
};

const Device: Schema = objectOf({
  device: { type: 'string' },
  cursor: { type: 'integer', minimum: 0, description: 'The highest `seq` that the device acknowledged.' },
  gateway: {
    type: ['string', 'null'],
    description: 'The gateway of its last connection; null once that connection has ended.',
  },
  connectedAt: TIME_OR_NULL,
  lastSeenAt: TIME_OR_NULL,
  state: { type: 'string', enum: ['acknowledged', 'connected', 'offline', 'unknown'] },
  why: { type: 'string', description: 'The reason for `state`, in plain words.' },
});

const Delivery: Schema = objectOf({
  id: refTo('MessageId'),
  from: refTo('UserId'),
  committedAt: TIME,
  recipients: { type: 'integer', minimum: 1, description: 'How many recipients the message has.' },
  items: {
    type: 'array',
    maxItems: MAX_DELIVERY_PAGE,
    items: objectOf({
      user: refTo('UserId'),
      seq: {
        type: ['integer', 'null'],
        description: "The entry's position in the user's inbox; null if the entry was deleted.",
      },
      state: { type: 'string', enum: ['waiting', 'delivered', 'read'] },
      why: { type: 'string', description: 'The reason for `state`, in plain words.' },
      deliveredAt: TIME_OR_NULL,
      readAt: TIME_OR_NULL,
      gateways: {
        type: ['array', 'null'],
        items: { type: 'string' },
        description: 'The live gateways that hold the user now; null while Redis is unreachable.',
      },
      isListed: {
        type: ['boolean', 'null'],
        description: "Whether the user's offline list has the entry now; null while Redis is unreachable.",
      },
      devices: { type: 'array', maxItems: 100, items: Device },
    }),
  },
});

const Problem: Schema = {
  type: 'object',
  description: 'An error (RFC 9457).',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string', format: 'uri', description: 'The stable name of this kind of error.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What is wrong with this request.' },
    code: { type: 'string', enum: Object.keys(problemsCatalogue).sort() },
    errors: {
      type: 'array',
      description: 'For validation errors: each fault and its place in the body.',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: {
          pointer: { type: 'string', format: 'json-pointer' },
          detail: { type: 'string' },
        },
      },
    },
  },
};

/** An object with all of these properties. */
function objectOf(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', required: Object.keys(properties), properties };
}

/** `{"items": […]}` whose items have all of these properties. */
function listOf(
  properties: Readonly<Record<string, Schema>>,
  maxItems?: number,
  beside: Readonly<Record<string, Schema>> = {},
  optional: Readonly<Record<string, Schema>> = {},
): Schema {
  return {
    type: 'object',
    required: ['items', ...Object.keys(beside)],
    properties: {
      items: {
        type: 'array',
        items: { type: 'object', required: Object.keys(properties), properties },
        ...(maxItems === undefined ? {} : { maxItems }),
      },
      ...beside,
      ...optional,
    },
  };
}

/** The schema of a DTO, from its decorators. */
function schemaOf(dto: new () => object): Schema {
  return { ...targetConstructorToSchema(dto, { additionalConverters: converters }) };
}

/** Schemas for the constraints of `validation/constraints.ts`. Descriptions say what a schema cannot express. */
const converters = {
  isUserId: refTo('UserId'),
  eachUserId: { items: refTo('UserId') },
  eachMessageId: { items: refTo('MessageId') },
  maxDistinct: {},
  maxCodePoints: ({ constraints }: { constraints?: unknown[] }) => ({ maxLength: Number(constraints?.[0]) }),
  isStorableText: {},
  isStorableJson: {},
};
