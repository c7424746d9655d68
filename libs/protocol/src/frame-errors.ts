/** Every `code` of an `error` frame (PROTOCOL §5.4): what it means and what to do. */
export const frameErrors = {
  invalid_json: { meaning: 'the frame is not a JSON object', todo: 'send one JSON object as text' },
  unknown_type: { meaning: 'no such frame type', todo: 'send ack, read, auth or ping' },
  invalid_field: { meaning: 'a field is missing or has a wrong value', todo: 'see the detail' },
  unknown_field: { meaning: 'a field that this frame does not have', todo: 'leave it out' },
  ack_beyond_sent: {
    meaning: 'ack of a seq that was not sent on this connection',
    todo: 'acknowledge what was received',
  },
  not_in_inbox: {
    meaning: 'read of a message that is not in the inbox of the user; nothing was recorded',
    todo: 'leave the id out',
  },
  invalid_token: { meaning: 'the token of an auth frame is not valid', todo: 'get a fresh token' },
  wrong_user: { meaning: 'the token of an auth frame names another user', todo: 'open another connection' },
  unavailable: {
    meaning: 'the database or the key source is out of reach; nothing is promised',
    todo: 'send the frame again later',
  },
} as const satisfies Record<string, { meaning: string; todo: string }>;

/** The code of an `error` frame. */
export type FrameErrorCode = keyof typeof frameErrors;
