import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from './pattern';

/** One transcript that is played against a server. `users` are names; each play gives them ids of its own. */
export interface ServerTranscript {
  name: string;
  /** Of PROTOCOL.md. */
  section: string;
  says: string;
  users: string[];
  /** What the player must be able to do beside talking: left out otherwise. */
  needs?: 'stop-gateway'[];
  steps: ServerStep[];
}

/** What the player does, or expects, next. */
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
  /** The next frame is this one; receipts are passed over where none is asked for, since they are news. */
  | { do: 'receive'; socket: string; frame: Json }
  | { do: 'close'; socket: string }
  /** The connection ends with this code; frames before it do not matter. */
  | { do: 'closed'; socket: string; code: number }
  | { do: 'token'; of: string; into: string }
  | { do: 'stopGateway'; socket: string };

/** One transcript that is played as the server, against a client. */
export interface ClientTranscript {
  name: string;
  section: string;
  says: string;
  steps: ClientStep[];
  /** What the application behind the client must have been handed, in order: texts of messages. */
  handled: string[];
}

export type ClientStep = ClientTurn | ServerTurn;

/** What the client must do. */
export type ClientTurn =
  /** The client connects; the query must fit. `withinMs` and `notBeforeMs` count from the step before. */
  | { client: 'connects'; query?: Json; withinMs?: number; notBeforeMs?: number }
  /** The client acknowledges through `seq`, in one frame or in several. */
  | { client: 'acknowledges'; seq: number }
  /** The client sends this frame; pings of its own are answered and passed over. */
  | { client: 'sends'; frame: Json }
  /** It connects no more for so long. */
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
