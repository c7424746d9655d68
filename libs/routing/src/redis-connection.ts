import { ConsecutiveBreaker, circuitBreaker, handleWhen, TimeoutStrategy, timeout } from 'cockatiel';
import { Redis, ReplyError } from 'ioredis';
import { type Pipeline, scripts } from './redis-commands';
import { COMMAND_WAIT_MS } from './times';

/** What the Redis connections say of themselves. */
export interface RedisLog {
  info(message: string, meta?: object): void;
  warn(message: string, meta?: object): void;
}

/** Redis is out of reach or too slow; what was asked may or may not have happened. */
export class RedisOutageError extends Error {
  override readonly name = 'RedisOutageError';
}

const CONNECT_TIMEOUT_MS = 2_000;
const MAX_RECONNECT_DELAY_MS = 1_000;
const FAILURES_TO_OPEN = 3;
const HALF_OPEN_AFTER_MS = 500;

/**
 * The connection for commands. A command is never sent twice and never waits in a queue: without Redis it
 * fails at once, with a hung Redis after a bounded time, and after a few of those a breaker opens.
 */
export class RedisConnection {
  readonly #redis: Redis;
  readonly #url: string;
  readonly #log: RedisLog;
  /** What the server itself answers to one command says nothing of its reach. */
  readonly #breaker = circuitBreaker(
    handleWhen((error) => !(error instanceof ReplyError)),
    {
      halfOpenAfter: HALF_OPEN_AFTER_MS,
      breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
    },
  );
  #onFault: () => void = () => undefined;

  constructor(url: string, log: RedisLog) {
    this.#url = url;
    this.#log = log;
    this.#redis = new Redis(url, {
      ...connectionOptions,
      scripts,
      commandTimeout: COMMAND_WAIT_MS,
      // Resending what was in flight would publish and append twice.
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      socketTimeout: 2_000,
    });
    watch(this.#redis, 'commands', log);
  }

  /** A second connection to the same Redis, for subscriptions. */
  openSubscriber(): Redis {
    const subscriber = new Redis(this.#url, {
      ...connectionOptions,
      commandTimeout: COMMAND_WAIT_MS * 4,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      // The channel subscribes by itself at every return, to know when it has.
      autoResubscribe: false,
    });
    watch(subscriber, 'subscriber', this.#log);
    return subscriber;
  }

  /** True when Redis answers now. Asked anew: what the last command learnt may be long ago. */
  async answers(): Promise<boolean> {
    try {
      await this.run((redis) => redis.ping());
      return true;
    } catch (error) {
      if (!(error instanceof RedisOutageError)) throw error;
      return false;
    }
  }

  /** Called whenever Redis is (again) ready for commands, also for the first time. */
  onReady(listener: () => void): void {
    this.#redis.on('ready', listener);
  }

  /** Called for each step that failed. */
  onFault(listener: () => void): void {
    this.#onFault = listener;
  }

  /**
   * Runs one step of commands within `waitMs`.
   * @throws RedisOutageError
   */
  async run<T>(work: (redis: Redis) => Promise<T>, waitMs = COMMAND_WAIT_MS): Promise<T> {
    try {
      // Nested by hand: wrapped, all timeouts would listen to one signal, and Node would warn of a leak.
      return await this.#breaker.execute(() =>
        timeout(waitMs, TimeoutStrategy.Aggressive).execute(() => work(this.#redis)),
      );
    } catch (error) {
      this.#onFault();
      const detail = error instanceof Error ? error.message : String(error);
      throw new RedisOutageError(`Redis is out of reach: ${detail}`, { cause: error });
    }
  }

  close(): void {
    this.#redis.disconnect();
  }
}

/**
 * The values of a pipeline, in order; an answer that is an error of the one command comes as that error.
 * @throws the connection's error when a command got no answer at all
 */
export async function executePipeline<T>(pipeline: Pipeline): Promise<(T | Error)[]> {
  const results = (await pipeline.exec()) ?? [];
  return results.map(([error, value]) => {
    if (error === null) return value as T;
    if (error instanceof ReplyError) return error;
    throw error;
  });
}

/** For both connections: reconnects for ever, quickly and with jitter. */
const connectionOptions = {
  connectTimeout: CONNECT_TIMEOUT_MS,
  keepAlive: 10_000,
  retryStrategy: (attempt: number): number =>
    Math.min(50 * 2 ** Math.min(attempt, 6), MAX_RECONNECT_DELAY_MS) * (0.5 + Math.random() / 2),
};

/** Without a listener for 'error' the process would end. One line for each change, not for each attempt. */
function watch(redis: Redis, connection: string, log: RedisLog): void {
  let isLost = false;
  redis.on('error', (error) => {
    if (!isLost) log.warn('Redis connection lost', { connection, error });
    isLost = true;
  });
  redis.on('ready', () => {
    if (isLost) log.info('Redis connection back', { connection });
    isLost = false;
  });
}
