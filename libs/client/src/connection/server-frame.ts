import type { ServerFrame } from '@posthorn/protocol';

type FrameType = ServerFrame['type'];

/** The fields that this client needs in each frame. It trusts the server for the others. */
const NEEDED: Record<FrameType, readonly [string, 'string' | 'number' | 'object'][]> = {
  welcome: [
    ['user', 'string'],
    ['epoch', 'string'],
    ['after', 'number'],
    ['lastSeq', 'number'],
    ['heartbeatMs', 'number'],
  ],
  message: [
    ['seq', 'number'],
    ['message', 'object'],
  ],
  skipped: [
    ['from', 'number'],
    ['to', 'number'],
  ],
  caughtUp: [['seq', 'number']],
  receipt: [
    ['id', 'string'],
    ['user', 'string'],
    ['status', 'string'],
  ],
  ok: [],
  error: [['code', 'string']],
  pong: [],
  goodbye: [['reconnectAfterMs', 'number']],
};

/** Parses a frame of the server. `undefined` for an unknown frame, which a client must ignore (PROTOCOL §1.3). */
export function parseServerFrame(text: unknown): ServerFrame | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const frame = (JSON.parse(text) ?? {}) as Record<string, unknown>;
    const type = String(frame['type']);
    if (!Object.hasOwn(NEEDED, type)) return undefined;
    const isWhole = NEEDED[type as FrameType].every(
      ([field, kind]) => typeof frame[field] === kind && frame[field] !== null,
    );
    return isWhole ? (frame as unknown as ServerFrame) : undefined;
  } catch {
    return undefined;
  }
}
