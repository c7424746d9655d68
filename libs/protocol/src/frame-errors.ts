/** Every `code` of an `error` frame: what it means, and what the client should do (PROTOCOL §5.4). */
export const frameErrors = {
  invalid_json: { meaning: 'The frame is not a JSON object.', todo: 'Send one JSON object as text.' },
  unknown_type: {
    meaning: 'The `type` of the frame is missing or unknown.',
    todo: 'Send `ack`, `read`, `auth` or `ping`.',
  },
  invalid_field: {
    meaning: 'A field is missing or has a wrong value.',
    todo: 'Correct the field that `detail` names.',
  },
  unknown_field: {
    meaning: 'The frame has a field that its type does not have.',
    todo: 'Leave out the field that `detail` names.',
  },
  ack_beyond_sent: {
    meaning: 'The `ack` names a `seq` that was not sent on this connection.',
    todo: 'Acknowledge only what this connection received.',
  },
  not_in_inbox: {
    meaning: "The `read` names a message that is not in the user's inbox. Nothing was recorded.",
    todo: 'Leave that id out, and send the others again.',
  },
  invalid_token: {
    meaning: 'The token of the `auth` frame is not valid. The connection keeps its old token.',
    todo: 'Get a fresh token and send it.',
  },
  wrong_user: {
    meaning: 'The token of the `auth` frame names another user. The connection keeps its old token.',
    todo: 'Send a token of the same user, or open another connection.',
  },
  unavailable: {
    meaning: 'Postgres or the key set is unreachable, or too much waits. The frame may still be done.',
    todo: 'Send the frame again later.',
  },
} as const satisfies Record<string, { meaning: string; todo: string }>;

/** The code of an `error` frame. */
export type FrameErrorCode = keyof typeof frameErrors;
