import type { Receipt } from './receipt';

/**
 * What was seen of the system from outside, event by event. The check decides from this alone.
 * Written as JSON lines. `i` rises by one; `t` is in ms on one clock that never goes back.
 * `p` names the process: `s3#2` is sender 3 in its second life, and `u1/d2#9` is the ninth connection of device d2 of
 * user u1. After an unknown outcome a sender continues in its next life. `nemesis` injects faults, and `harness` is
 * the run.
 */
export type HistoryEvent = { i: number; t: number; p: string } & Happening;

/** What happened. invoke: begun. ok: done. fail: refused, so it must leave no trace. info: unknown, or a fact. */
export type Happening =
  | SendInvoke
  | SendOk
  | SendFail
  | SendInfo
  | DeviceEvent
  | { type: 'info'; f: 'fault'; v: FaultEvent }
  | { type: 'info'; f: 'phase'; v: { name: Phase } }
  | { type: 'info'; f: 'process'; v: ProcessEvent }
  | { type: 'info'; f: 'store'; v: StoreState }
  | { type: 'info'; f: 'end'; v: EndState };

/**
 * The parts of a run, in order. `final`: all devices connect and stay. `fresh`: a new device of each user reads
 * everything.
 */
export type Phase = 'warm-up' | 'faults' | 'healed' | 'final' | 'fresh' | 'over';

/**
 * The body of a send. `h` is a hash of its text and data. Retries with one key carry the same body, except for a
 * `twist`.
 */
interface SendInvoke {
  type: 'invoke';
  f: 'send';
  v: { key: string; from: string; to: string[]; h: string; twist?: true };
}
/** A 200 or 201. */
interface SendOk {
  type: 'ok';
  f: 'send';
  v: { key: string; id: string; http: 200 | 201; ms: number };
}
/** Refused with a status that promises that nothing was done (400 to 429). `twist`: another body under a used key. */
interface SendFail {
  type: 'fail';
  f: 'send';
  v: { key: string; http: number; ms: number; twist?: true };
}
/** A 5xx, a timeout or a broken connection: it may have happened. */
interface SendInfo {
  type: 'info';
  f: 'send';
  v: { key: string; http?: number; error?: string; ms: number };
}

/** What one connection of a device saw or did. */
export type DeviceEvent =
  /** `after`: the value in the query, if there was one. */
  | { type: 'invoke'; f: 'connect'; v: { gateway: string; ack: 'manual' | 'auto'; after?: number } }
  | { type: 'fail'; f: 'connect'; v: { http?: number; error?: string; ms: number } }
  | {
      type: 'ok';
      f: 'welcome';
      v: { after: number; lastSeq: number; epoch: string; session: string; reset?: true; ms: number };
    }
  | { type: 'ok'; f: 'message'; v: { id: string; seq: number; from: string; h: string; hasTo?: true } }
  | { type: 'ok'; f: 'caughtUp'; v: { seq: number } }
  | { type: 'ok'; f: 'receipt'; v: Receipt }
  | { type: 'invoke'; f: 'ack'; v: { seq: number } }
  | { type: 'ok'; f: 'ack'; v: { seq: number } }
  | { type: 'info'; f: 'ack'; v: { seq: number; error: string } }
  | { type: 'invoke'; f: 'read'; v: { ids: string[] } }
  | { type: 'ok'; f: 'read'; v: { ids: string[] } }
  | { type: 'info'; f: 'read'; v: { ids: string[]; error: string } }
  | { type: 'info'; f: 'goodbye'; v: { reconnectAfterMs: number } }
  /** `by` says whether the device or the other side closed it. */
  | { type: 'info'; f: 'closed'; v: { code: number; by: 'device' | 'server' } }
  /**
   * The device stops reading (true) or continues (false), or the network swallows its bytes. The server is not at
   * fault.
   */
  | { type: 'info'; f: 'deaf'; v: { isDeaf: boolean } };

/** A fault begins or ends. `effect` is the evidence that it took effect; null if there is none. */
type FaultEvent =
  | { id: string; phase: 'start'; target: string }
  | { id: string; phase: 'end'; target: string; effect: string | null };

/** A service process ended, or logged a forbidden line. */
type ProcessEvent =
  | { process: string; exit: { code: number | null; signal: string | null }; isExpected: boolean }
  | { process: string; line: string };

/** The rows of Postgres at the end. */
export interface StoreState {
  epoch: string;
  messages: {
    id: string;
    sender: string;
    to: string[];
    h: string;
    key: string | null;
    createdAt: string;
  }[];
  entries: { user: string; seq: number; id: string }[];
  /** The newest `seq` of each inbox, from its counter. */
  inboxes: { user: string; newestSeq: number }[];
  devices: { user: string; device: string; cursor: number }[];
  receipts: { id: string; user: string; deliveredAt: string; readAt: string | null }[];
}

/**
 * What is left after everybody has left, by name. Each must be 0, except for lists, which must stay within their
 * limit.
 */
export interface EndState {
  presenceFields: number;
  connections: number;
  bufferedBytes: number;
  longestList: number;
  listCap: number;
  /** The exit codes of the stopped services. */
  exits: { process: string; code: number | null; signal: string | null }[];
}
