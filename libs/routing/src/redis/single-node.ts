import type { RedisAddress } from '@posthorn/protocol';
import { Redis } from 'ioredis';
import type { RedisWaits } from '../times';
import { closeRedis, keepConnected, logLosses } from './lasting-redis';
import { RedisNode } from './redis-node';
import type { RedisNodes } from './redis-nodes';
import { commandOptions, type RedisLog, subscriberOptions, targetOptions } from './redis-options';

/** One server for all keys: the server in REDIS_URL, or the master that the sentinels name at each connect. */
export class SingleNode implements RedisNodes {
  readonly isCluster = false;
  readonly #address: RedisAddress;
  readonly #log: RedisLog;
  readonly #waits: RedisWaits;
  readonly #node: RedisNode;

  constructor(address: RedisAddress, log: RedisLog, waits: RedisWaits) {
    this.#address = address;
    this.#log = log;
    this.#waits = waits;
    const { commandMs } = waits;
    const redis = new Redis({ ...commandOptions(address, commandMs), ...targetOptions(address, commandMs) });
    logLosses(redis, { connection: 'commands', node: () => nameOf(address) }, log);
    keepConnected(redis);
    this.#node = new RedisNode(redis, waits.halfOpenMs);
  }

  serving(): RedisNode {
    return this.#node;
  }

  at(): null {
    return null; // nothing redirects here
  }

  all(): RedisNode[] {
    return [this.#node];
  }

  refresh(): void {
    // The client itself looks for the master at each connect.
  }

  onReady(listener: () => void): void {
    this.#node.redis.on('ready', listener);
  }

  openSubscriber(): Redis {
    const { commandMs } = this.#waits;
    const subscriber = new Redis({
      ...subscriberOptions(this.#address, commandMs),
      ...targetOptions(this.#address, commandMs),
    });
    logLosses(subscriber, { connection: 'subscriber', node: () => nameOf(this.#address) }, this.#log);
    keepConnected(subscriber);
    return subscriber;
  }

  close(): void {
    closeRedis(this.#node.redis);
  }
}

function nameOf({ kind, hosts: [host], master }: RedisAddress): string {
  return kind === 'sentinel' ? master : `${host?.host}:${host?.port}`;
}
