/** Which system is spoken to. */
export type DialectName = 'posthorn' | 'hand-made' | 'socket.io' | 'floor';

/** What a text from a server means to a device. */
type Heard =
  /** The connection is ready: what is sent to the user from now on arrives here. */
  | { kind: 'ready' }
  /** A message; `mark` is what acknowledges it. */
  | { kind: 'message'; mark: string | number }
  /** All that waited has come. */
  | { kind: 'caught-up' }
  /** The server wants an answer at once. */
  | { kind: 'answer'; text: string }
  | { kind: 'other' };

/** How a device speaks with one of the systems. */
export interface Dialect {
  readonly sendPath: string;
  connectPath(user: string): string;
  /** Said once the connection is open. */
  greeting(token: string): string | null;
  hear(text: string): Heard;
  /** True where a device is told that all that waited has come. */
  readonly saysCaughtUp: boolean;
  /** False where the system knows no acknowledgement. */
  readonly acknowledges: boolean;
  /** The frames that acknowledge messages, the newest of which comes last. */
  acks(marks: readonly (string | number)[]): string[];
}

const READY: Heard = { kind: 'ready' };
const CAUGHT_UP: Heard = { kind: 'caught-up' };
const OTHER: Heard = { kind: 'other' };

const posthorn: Dialect = {
  sendPath: '/v1/messages',
  connectPath: () => '/v1/connect?device=bench',
  greeting: () => null,
  hear(text) {
    // {"type":"message","seq":17,"message":…
    if (text.startsWith('{"type":"message"')) return { kind: 'message', mark: numberAfter(text, '"seq":') };
    if (text.startsWith('{"type":"caughtUp"')) return CAUGHT_UP;
    return text.startsWith('{"type":"welcome"') ? READY : OTHER;
  },
  saysCaughtUp: true,
  acknowledges: true,
  acks: (marks) => [`{"type":"ack","seq":${marks.at(-1)}}`],
};

const handMade: Dialect = {
  sendPath: '/messages',
  connectPath: () => '/connect',
  greeting: () => null,
  hear(text) {
    if (text.startsWith('{"type":"message"')) return { kind: 'message', mark: textAfter(text, '"id":"') };
    return text.startsWith('{"type":"ready"') ? READY : OTHER;
  },
  saysCaughtUp: false,
  acknowledges: true,
  acks: (marks) => marks.map((id) => `{"type":"ack","id":"${id}"}`),
};

/** Engine.IO 4 below Socket.IO 5: 0 open, 2 ping, 3 pong, 40 connected, 42 an event. */
const socketIo: Dialect = {
  sendPath: '/messages',
  connectPath: () => '/socket.io/?EIO=4&transport=websocket',
  greeting: (token) => `40${JSON.stringify({ token })}`,
  hear(text) {
    if (text.startsWith('42["message"')) return { kind: 'message', mark: textAfter(text, '"id":"') };
    if (text === '2') return { kind: 'answer', text: '3' };
    return text.startsWith('40') ? READY : OTHER;
  },
  saysCaughtUp: false,
  acknowledges: false,
  acks: () => [],
};

const floor: Dialect = {
  sendPath: '/messages',
  connectPath: () => '/connect',
  greeting: () => null,
  hear(text) {
    if (text.startsWith('{"type":"message"')) return { kind: 'message', mark: 0 };
    return text.startsWith('{"type":"ready"') ? READY : OTHER;
  },
  saysCaughtUp: false,
  acknowledges: false,
  acks: () => [],
};

export const dialects: Record<DialectName, Dialect> = {
  posthorn,
  'hand-made': handMade,
  'socket.io': socketIo,
  floor,
};

/** The number that follows the first `key`. */
export function numberAfter(text: string, key: string): number {
  let at = text.indexOf(key) + key.length;
  let number = 0;
  for (let code = text.charCodeAt(at); code >= 48 && code <= 57; code = text.charCodeAt(++at)) {
    number = number * 10 + code - 48;
  }
  return number;
}

function textAfter(text: string, key: string): string {
  const start = text.indexOf(key) + key.length;
  return text.slice(start, text.indexOf('"', start));
}
