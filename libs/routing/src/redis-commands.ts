import type { Redis, RedisOptions, Result } from 'ioredis';
import { ENTRIES_SCRIPT } from './scripts/entries';
import { HOLD_SCRIPT } from './scripts/hold';
import { ROUTE_SCRIPT } from './scripts/route';
import { TAKE_SEND_SCRIPT } from './scripts/take-send';
import { TRIM_SCRIPT } from './scripts/trim';

/** Our scripts as commands of the client; it sends each as EVALSHA once the server knows it. */
export const scripts: NonNullable<RedisOptions['scripts']> = {
  posthornRoute: { lua: ROUTE_SCRIPT, numberOfKeys: 2 },
  posthornHold: { lua: HOLD_SCRIPT, numberOfKeys: 1 },
  posthornEntries: { lua: ENTRIES_SCRIPT, numberOfKeys: 1, readOnly: true },
  posthornTrim: { lua: TRIM_SCRIPT, numberOfKeys: 1 },
  posthornTakeSend: { lua: TAKE_SEND_SCRIPT, numberOfKeys: 1 },
};

declare module 'ioredis' {
  interface RedisCommander<Context> {
    posthornRoute(presence: string, offline: string, ...args: (string | number)[]): Result<string[], Context>;
    posthornHold(presence: string, gateway: string, count: number, ttlS: number): Result<string[], Context>;
    posthornEntries(offline: string, after: number, limit: number): Result<string[], Context>;
    posthornTrim(offline: string, through: number, epoch: string): Result<number, Context>;
    posthornTakeSend(
      bucket: string,
      stepUs: number,
      burst: number,
    ): Result<[number, number, number], Context>;
  }
}

/** A pipeline of commands, not sent yet. */
export type Pipeline = ReturnType<Redis['pipeline']>;
