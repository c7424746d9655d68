import { type CircuitBreakerPolicy, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { type Redis, ReplyError } from 'ioredis';
import type { Command } from './redis-commands';
import { RedisOutageError } from './redis-outage-error';

/** A command for one node. */
export interface NodeCommand {
  command: Command | readonly ['ping'];
  /** True when the node is just taking over the slot. It serves the slot only to a command after ASKING. */
  isAsking?: boolean;
}

const FAILURES_TO_OPEN = 3;

/**
 * One Redis server. Commands are sent in one go, never twice, and do not wait in a queue. After `FAILURES_TO_OPEN`
 * failures in a row a breaker opens, and commands fail at once. Each node has its own breaker, so that a node that is
 * down does not slow down users of the others.
 */
export class RedisNode {
  readonly redis: Redis;
  #breaker: CircuitBreakerPolicy;

  constructor(redis: Redis, halfOpenMs: number) {
    this.redis = redis;
    this.#breaker = newBreaker(halfOpenMs);
    // The server has just answered, so failures on the connection before do not matter any more.
    redis.on('ready', () => {
      this.#breaker = newBreaker(halfOpenMs);
    });
  }

  get isReady(): boolean {
    return this.redis.status === 'ready';
  }

  /**
   * Sends commands and returns the replies in the same order: a `ReplyError` if the node refused that command, a
   * `RedisOutageError` if no reply came. Never throws.
   */
  async send(commands: readonly NodeCommand[], waitMs: number): Promise<unknown[]> {
    if (!this.isReady) return outages(commands, 'not connected');
    try {
      return await this.#breaker.execute(() => within(waitMs, this.#send(commands)));
    } catch (error) {
      return outages(commands, error);
    }
  }

  async #send(commands: readonly NodeCommand[]): Promise<unknown[]> {
    const { stream } = this.redis;
    // One write for all commands. It costs a third less than the client's own pipelines.
    stream.cork();
    const replies = commands.map(async ({ command, isAsking }) => {
      if (isAsking === true) this.redis.asking().catch(() => undefined); // then the command itself fails
      return await this.#reply(command);
    });
    stream.uncork();
    return await Promise.all(replies);
  }

  async #reply([name, ...args]: Command | readonly ['ping']): Promise<unknown> {
    try {
      return await Reflect.apply(this.redis[name], this.redis, args);
    } catch (error) {
      return error instanceof ReplyError ? error : new RedisOutageError(error);
    }
  }
}

/** Rejects after `waitMs`. cockatiel's own timeout makes a signal and an error per step, which costs more. */
function within<T>(waitMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new RedisOutageError('no answer in time')), waitMs);
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      finish();
    };
    work.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error instanceof Error ? error : new Error(String(error)))),
    );
  });
}

/** Only outages count as failures. A `ReplyError` proves that the server is reachable. */
function newBreaker(halfOpenMs: number): CircuitBreakerPolicy {
  return circuitBreaker(
    handleAll.orWhenResult((replies) => Array.isArray(replies) && replies.some(isOutage)),
    { halfOpenAfter: halfOpenMs, breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN) },
  );
}

/** True when no reply came. */
export function isOutage(reply: unknown): reply is RedisOutageError {
  return reply instanceof RedisOutageError;
}

function outages(commands: readonly NodeCommand[], cause: unknown): RedisOutageError[] {
  const outage = new RedisOutageError(cause);
  return commands.map(() => outage);
}
