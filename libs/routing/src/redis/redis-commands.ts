import type { RedisOptions } from 'ioredis';
import { ENTRIES_SCRIPT } from '../offline-list/entries-script';
import { TRIM_SCRIPT } from '../offline-list/trim-script';
import { HOLD_SCRIPT } from '../presence/hold-script';
import { ROUTE_SCRIPT } from '../route/route-script';
import { TAKE_SEND_SCRIPT } from '../send-limit/take-send-script';

/** Our scripts as commands of the client. Once the server knows a script, the client sends EVALSHA. */
export const scripts: NonNullable<RedisOptions['scripts']> = {
  posthornRoute: { lua: ROUTE_SCRIPT, numberOfKeys: 2 },
  posthornHold: { lua: HOLD_SCRIPT, numberOfKeys: 1 },
  posthornEntries: { lua: ENTRIES_SCRIPT, numberOfKeys: 1, readOnly: true },
  posthornTrim: { lua: TRIM_SCRIPT, numberOfKeys: 1 },
  posthornTakeSend: { lua: TAKE_SEND_SCRIPT, numberOfKeys: 1 },
};

type Script = (key: string, ...args: (string | number)[]) => Promise<unknown>;

declare module 'ioredis' {
  interface Redis {
    posthornRoute: Script;
    posthornHold: Script;
    posthornEntries: Script;
    posthornTrim: Script;
    posthornTakeSend: Script;
  }
}

/** Every command that we send, and the type of its reply. */
export interface Replies {
  posthornRoute: string[];
  posthornHold: string[];
  posthornEntries: string[];
  posthornTrim: number;
  posthornTakeSend: [isAllowed: number, remaining: number, waitUs: number];
  set: string | null;
  get: string | null;
  del: number;
  exists: number;
  zadd: number;
  zrange: string[];
  zrem: number;
  zremrangebyscore: number;
  hkeys: string[];
  hgetall: Record<string, string>;
  llen: number;
  /** How many subscribers received it. */
  publish: number;
  spublish: number;
}

/**
 * A command and its arguments, as plain data. All keys of one command have the same slot. The first key decides which
 * node of a Cluster gets the command.
 */
export type Command<Name extends keyof Replies = keyof Replies> = readonly [
  name: Name,
  key: string,
  ...args: (string | number)[],
];
