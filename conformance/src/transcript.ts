import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from './pattern';

/** A transcript that is played against a server. `users` are names; each play gives them its own ids. */
export interface ServerTranscript {
  name: string;
  /** The section of PROTOCOL.md. */
  section: string;
  says: string;
  users: string[];
  /** What the player must be able to do besides talking. Otherwise the transcript is skipped. */
  needs?: 'stop-gateway'[];
  steps: ServerStep[];
}

/** The next action or expectation of the player. */
export type ServerStep =
  | {
      do: 'http';
      as: string | null;
      method: 'GET' | 'POST';
      path: string;
      headers?: Record<string, string>;
      body?: Json;
      expect: { status: number; headers?: Record<string, Json>; body?: Json };
    }
  /** The upgrade succeeds. */
  | { do: 'connect'; socket: string; as: string; query?: Record<string, Json> }
  /** The upgrade is refused. */
  | {
      do: 'refused';
      as: string | null;
      query?: Record<string, Json>;
      headers?: Record<string, string>;
      expect: { status: number; body?: Json };
    }
  | { do: 'send'; socket: string; frame: Json }
  | { do: 'sendText'; socket: string; text: string }
  | { do: 'sendBinary'; socket: string; bytes: number[] }
  /** The next frame is this one. Receipt frames are skipped unless a receipt is expected, because they may be lost. */
  | { do: 'receive'; socket: string; frame: Json }
  | { do: 'close'; socket: string }
  /** The connection ends with this code. Frames before it do not matter. */
  | { do: 'closed'; socket: string; code: number }
  | { do: 'token'; of: string; into: string }
  | { do: 'stopGateway'; socket: string };

/** A transcript that is played as the server, against a client. */
export interface ClientTranscript {
  name: string;
  section: string;
  says: string;
  steps: ClientStep[];
  /** The texts of the messages that the client's application must receive, in order. */
  handled: string[];
}

export type ClientStep = ClientTurn | ServerTurn;

/** What the client must do. */
export type ClientTurn =
  /** The client connects with a matching query. `withinMs` and `notBeforeMs` count from the previous step. */
  | { client: 'connects'; query?: Json; withinMs?: number; notBeforeMs?: number }
  /** The client acknowledges up to `seq`, in one frame or in several. */
  | { client: 'acknowledges'; seq: number }
  /** The client sends this frame. Its own pings are answered and skipped. */
  | { client: 'sends'; frame: Json }
  /** The client does not connect for this long. */
  | { client: 'staysAway'; forMs: number };

/** What the player does. */
export type ServerTurn =
  | { server: 'sends'; frame: Json }
  | { server: 'sendsText'; text: string }
  | { server: 'closes'; code: number }
  /** Without a close frame. */
  | { server: 'breaks' };

const FOLDER = join(__dirname, '..');

/** Every transcript against servers, by name. */
export function serverTranscripts(): ServerTranscript[] {
  return readAll<ServerTranscript>('server');
}

/** Every transcript against clients, by name. */
export function clientTranscripts(): ClientTranscript[] {
  return readAll<ClientTranscript>('client');
}

function readAll<T>(folder: string): T[] {
  return readdirSync(join(FOLDER, folder))
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file): T => JSON.parse(readFileSync(join(FOLDER, folder, file), 'utf8')));
}
