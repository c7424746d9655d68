/** Every code that the gateway closes a connection with, and what a client does about it (PROTOCOL §5.7). */
export const closeCodes = {
  unsupportedData: { code: 1003, meaning: 'a binary frame', todo: 'send text frames only' },
  invalidUtf8: { code: 1007, meaning: 'a text frame that is not UTF-8', todo: 'send valid UTF-8' },
  policyViolation: {
    code: 1008,
    meaning: '20 bad frames in a row',
    todo: 'mend the client: each got an error frame that says what is wrong',
  },
  messageTooBig: { code: 1009, meaning: 'a frame over 64 KiB', todo: 'send smaller frames' },
  internalError: { code: 1011, meaning: 'the gateway failed', todo: 'reconnect' },
  serviceRestart: {
    code: 1012,
    meaning: 'the gateway stops, or the inboxes were restored from a backup',
    todo: 'reconnect after the reconnectAfterMs of the goodbye frame',
  },
  tryAgainLater: {
    code: 1013,
    meaning: 'more connections of this user than allowed, found after Redis had been out of reach',
    todo: 'close another connection, then reconnect',
  },
  tokenExpired: { code: 4401, meaning: 'the token expired', todo: 'get a fresh token, then reconnect' },
  noPong: { code: 4408, meaning: 'nothing heard for 1.5 heartbeats', todo: 'reconnect' },
  tooSlow: {
    code: 4413,
    meaning: 'unsent bytes over the limit without progress for too long',
    todo: 'reconnect and read faster',
  },
  tooManyFrames: { code: 4429, meaning: 'more frames than the limit', todo: 'reconnect and send fewer' },
  disconnected: {
    code: 4503,
    meaning: 'an operator ended the connection',
    todo: 'do not reconnect by itself',
  },
  takenOver: {
    code: 4509,
    meaning: 'a newer connection of the same device took over',
    todo: 'do not reconnect: the newer one lives',
  },
} as const satisfies Record<string, { code: number; meaning: string; todo: string }>;

/** The name of a close code of ours. */
export type CloseReason = keyof typeof closeCodes;

const RECONNECT = new Set([1001, 1006, 1011, 1012, 1013]);

/** True when a client comes back after this close code, with backoff and jitter (PROTOCOL §5.7). */
export function mayReconnect(code: number): boolean {
  return RECONNECT.has(code) || (code >= 4000 && code <= 4499);
}
