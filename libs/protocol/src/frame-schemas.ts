import { frameErrors } from './frame-errors.ts';
import type { ClientFrame, ServerFrame } from './frames.ts';
import { MAX_READ_IDS, MAX_REF_CHARS } from './limits.ts';

/** A JSON Schema (draft 2020-12). */
export type FrameSchema = Readonly<Record<string, unknown>>;

/** One kind of frame: its purpose and its schema. */
export interface FrameKind {
  readonly meaning: string;
  readonly schema: FrameSchema;
}

const SEQ: FrameSchema = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const TEXT: FrameSchema = { type: 'string' };
const TIME: FrameSchema = { type: 'string', format: 'date-time' };
const MESSAGE_ID: FrameSchema = { type: 'string', format: 'uuid' };
const USER_ID: FrameSchema = { type: 'string', pattern: '^[A-Za-z0-9._:@-]{1,128}$' };
const REF: FrameSchema = {
  description: 'A mark of the client. The answer carries it.',
  anyOf: [
    { type: 'string', minLength: 1, maxLength: MAX_REF_CHARS },
    { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
  ],
};
const MESSAGE: FrameSchema = {
  type: 'object',
  required: ['id', 'from', 'createdAt'],
  properties: {
    id: MESSAGE_ID,
    from: USER_ID,
    to: { type: 'array', items: USER_ID, description: 'The recipients. Only the sender sees them.' },
    text: TEXT,
    data: { type: 'object' },
    createdAt: TIME,
  },
};

/** Frames of the gateway (PROTOCOL §5.2). They may gain fields within version 1. */
export const serverFrameKinds: Readonly<Record<ServerFrame['type'], FrameKind>> = {
  welcome: {
    meaning: 'Always the first frame: who is connected, and where delivery begins.',
    schema: frame(
      'welcome',
      {
        user: USER_ID,
        device: TEXT,
        session: TEXT,
        epoch: TEXT,
        after: { ...SEQ, description: 'Delivery begins with the next `seq`.' },
        lastSeq: { ...SEQ, description: 'The newest `seq` of the inbox at the connect.' },
        heartbeatMs: { type: 'integer', minimum: 1 },
      },
      { reset: { const: true, description: 'The `after` of the request was ignored.' } },
    ),
  },
  message: {
    meaning:
      'One inbox entry. On one connection each `seq` is one more than the last `seq` or the last `to` of a `skipped`.',
    schema: frame(
      'message',
      { seq: { ...SEQ, minimum: 1 }, message: MESSAGE },
      { incomplete: { const: true, description: '`data` cannot be encoded and is left out.' } },
    ),
  },
  skipped: {
    meaning: 'These entries were deleted by retention. Delivery goes on after them.',
    schema: frame('skipped', { from: { ...SEQ, minimum: 1 }, to: { ...SEQ, minimum: 1 } }),
  },
  caughtUp: {
    meaning: 'Everything that waited at the connect has been sent.',
    schema: frame('caughtUp', { seq: SEQ }),
  },
  receipt: {
    meaning: 'News for the sender of a message: a recipient has it, or has read it.',
    schema: frame('receipt', {
      id: MESSAGE_ID,
      user: USER_ID,
      status: { enum: ['delivered', 'read'] },
      at: TIME,
    }),
  },
  ok: { meaning: 'The frame with this `ref` was done.', schema: frame('ok', { ref: REF }) },
  error: {
    meaning: 'A frame was not done.',
    schema: frame('error', { code: { enum: Object.keys(frameErrors) }, detail: TEXT }, { ref: REF }),
  },
  pong: { meaning: 'Answers `ping`.', schema: frame('pong', {}, { ref: REF }) },
  goodbye: {
    meaning: 'A planned close (1012) follows. Reconnect after this time.',
    schema: frame('goodbye', { reconnectAfterMs: { type: 'integer', minimum: 0 } }),
  },
};

/** Frames of the client (PROTOCOL §5.3). The server refuses unknown fields. */
export const clientFrameKinds: Readonly<Record<ClientFrame['type'], FrameKind>> = {
  ack: {
    meaning: 'This device has everything up to `seq`.',
    schema: strict(frame('ack', { seq: SEQ }, { ref: REF })),
  },
  read: {
    meaning: 'The user has read these messages.',
    schema: strict(
      frame(
        'read',
        { ids: { type: 'array', items: MESSAGE_ID, minItems: 1, maxItems: MAX_READ_IDS } },
        { ref: REF },
      ),
    ),
  },
  auth: {
    meaning: 'A fresh token of the same user.',
    schema: strict(frame('auth', { token: { ...TEXT, minLength: 1 } }, { ref: REF })),
  },
  ping: { meaning: 'Asks for a `pong`.', schema: strict(frame('ping', {}, { ref: REF })) },
};

function frame(
  type: string,
  required: Readonly<Record<string, FrameSchema>>,
  optional: Readonly<Record<string, FrameSchema>> = {},
): FrameSchema {
  return {
    type: 'object',
    required: ['type', ...Object.keys(required)],
    properties: { type: { const: type }, ...required, ...optional },
  };
}

function strict(schema: FrameSchema): FrameSchema {
  return { ...schema, additionalProperties: false };
}
