/** Which system is spoken to. */
export type DialectName = 'posthorn' | 'hand-made' | 'socket.io' | 'floor';

/** What a text from a server means for a device. */
type Heard =
  /** The connection is ready: messages to the user arrive here from now on. */
  | { kind: 'ready' }
  /** A message. `mark` is used to acknowledge it. */
  | { kind: 'message'; mark: string | number }
  /** Everything that waited has arrived. */
  | { kind: 'caught-up' }
  /** The server expects this answer at once. */
  | { kind: 'answer'; text: string }
  | { kind: 'other' };

/** How a device talks to one of the systems. */
export interface Dialect {
  readonly sendPath: string;
  connectPath(user: string): string;
  /** Sent once the connection is open. */
  greeting(token: string): string | null;
  hear(text: string): Heard;
  /** Whether the system reports that everything that waited has arrived. */
  readonly saysCaughtUp: boolean;
  /** Whether the system has acknowledgements. */
  readonly acknowledges: boolean;
  /** The frames that acknowledge messages. The newest message comes last. */
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

/** The number after the first `key`. */
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
