/**
 * Every code with which the gateway closes a connection, and what the client should do (PROTOCOL §5.7). The meaning is
 * also the reason in the close frame, so it has at most 123 bytes (RFC 6455 §5.5).
 */
export const closeCodes = {
  unsupportedData: { code: 1003, meaning: 'The frame was binary.', todo: 'Send text frames only.' },
  invalidUtf8: { code: 1007, meaning: 'The text frame was not UTF-8.', todo: 'Send valid UTF-8.' },
  policyViolation: {
    code: 1008,
    meaning: 'The client sent 20 bad frames in a row.',
    todo: 'Fix the client: each bad frame got an error frame that says what is wrong.',
  },
  messageTooBig: { code: 1009, meaning: 'The frame was over 64 KiB.', todo: 'Send smaller frames.' },
  internalError: {
    code: 1011,
    meaning: 'The gateway failed.',
    todo: 'Wait with backoff and jitter, then reconnect.',
  },
  serviceRestart: {
    code: 1012,
    meaning: 'The gateway stops, or the inboxes got a new epoch after a restore.',
    todo: 'Wait for the `reconnectAfterMs` of the goodbye frame, then reconnect.',
  },
  tryAgainLater: {
    code: 1013,
    meaning: 'The user has too many connections; they were counted when Redis came back.',
    todo: 'Close another connection, then reconnect.',
  },
  tokenExpired: {
    code: 4401,
    meaning: 'The token expired.',
    todo: 'Get a fresh token, then reconnect.',
  },
  noPong: {
    code: 4408,
    meaning: 'The gateway heard nothing from the client for 1.5 heartbeats.',
    todo: 'Wait with backoff and jitter, then reconnect.',
  },
  tooSlow: {
    code: 4413,
    meaning: 'The client read too slowly: its unsent bytes stayed over the limit for too long.',
    todo: 'Wait with backoff and jitter, then reconnect and read faster.',
  },
  tooManyFrames: {
    code: 4429,
    meaning: 'The client sent more frames than the limit allows.',
    todo: 'Wait with backoff and jitter, then reconnect and send fewer frames.',
  },
  disconnected: {
    code: 4503,
    meaning: 'An operator ended the connection.',
    todo: 'Do not reconnect until the application says so.',
  },
  takenOver: {
    code: 4509,
    meaning: 'A newer connection of the same device took over.',
    todo: 'Do not reconnect: the newer connection lives.',
  },
} as const satisfies Record<string, { code: number; meaning: string; todo: string }>;

/** The name of a close code. */
export type CloseReason = keyof typeof closeCodes;

const RECONNECT = new Set([1001, 1006, 1011, 1012, 1013]);

/** True if a client reconnects after this close code, with backoff and jitter (PROTOCOL §5.7). */
export function mayReconnect(code: number): boolean {
  return RECONNECT.has(code) || (code >= 4000 && code <= 4499);
}
