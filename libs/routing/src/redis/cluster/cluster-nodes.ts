import type { RedisAddress, RedisHost } from '@posthorn/protocol';
import { Redis } from 'ioredis';
import type { RedisWaits } from '../../times';
import { foundConnector } from '../found-connector';
import { closeRedis, keepConnected, logLosses } from '../lasting-redis';
import { RedisNode } from '../redis-node';
import type { RedisNodes } from '../redis-nodes';
import { commandOptions, DISCONNECT_TIMEOUT_MS, type RedisLog, subscriberOptions } from '../redis-options';
import { readClusterSlots, type SlotRange } from './cluster-slots';
import { hashSlot, SLOTS } from './hash-slot';

/** How often CLUSTER SLOTS is read. */
const REFRESH_INTERVAL_MS = 5_000;
/** When a command shows a change, CLUSTER SLOTS is read earlier, but not within this time after the last reading. */
const MIN_REFRESH_GAP_MS = 100;
/** How many nodes are asked for CLUSTER SLOTS. The first answer counts, because one of them may hang. */
const ASKED_AT_ONCE = 2;

/**
 * The nodes of a Redis Cluster that serve slots, each with a lasting connection. The nodes themselves say which they
 * are (CLUSTER SLOTS). While none of them is connected, the hosts in REDIS_URL are asked.
 */
export class ClusterNodes implements RedisNodes {
  readonly isCluster = true;
  readonly #address: RedisAddress;
  readonly #log: RedisLog;
  readonly #waits: RedisWaits;
  /** By `host:port`. */
  readonly #nodes = new Map<string, RedisNode>();
  /** By slot, the address of the node that serves it. */
  readonly #owners: (string | undefined)[] = Array.from({ length: SLOTS });
  readonly #listeners: (() => void)[] = [];
  readonly #timer: NodeJS.Timeout;
  /** The nodes that served slots at the last reading. */
  #serving = new Set<RedisNode>();
  #refreshing: Promise<void> | null = null;
  #refreshedAt = 0;

  constructor(address: RedisAddress, log: RedisLog, waits: RedisWaits) {
    this.#address = address;
    this.#log = log;
    this.#waits = waits;
    for (const host of address.hosts) this.#add(host);
    this.#timer = setInterval(() => this.refresh(), REFRESH_INTERVAL_MS);
  }

  serving(key: string): RedisNode | null {
    return this.at(this.#owners[hashSlot(key)] ?? '');
  }

  at(address: string): RedisNode | null {
    return this.#nodes.get(address) ?? null;
  }

  all(): RedisNode[] {
    return [...this.#serving];
  }

  refresh(): void {
    if (performance.now() - this.#refreshedAt >= MIN_REFRESH_GAP_MS) void this.#refreshNow();
  }

  onReady(listener: () => void): void {
    this.#listeners.push(listener);
  }

  openSubscriber(channel: string): Redis {
    const find = async (): Promise<RedisHost> => {
      await this.#refreshNow();
      const node = this.serving(channel);
      if (node === null) throw new Error('no known node serves the channel');
      return hostOf(node);
    };
    const subscriber = new Redis({
      ...subscriberOptions(this.#address, this.#waits.commandMs),
      Connector: foundConnector(find, this.#address.tls, DISCONNECT_TIMEOUT_MS),
    });
    logLosses(
      subscriber,
      { connection: 'subscriber', node: () => this.#owners[hashSlot(channel)] },
      this.#log,
    );
    keepConnected(subscriber);
    return subscriber;
  }

  close(): void {
    clearInterval(this.#timer);
    for (const address of this.#nodes.keys()) this.#remove(address);
  }

  /** Reads which node serves which slot. Never throws: a failed reading is tried again later. */
  async #refreshNow(): Promise<void> {
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = null;
    });
    await this.#refreshing;
  }

  async #read(): Promise<void> {
    this.#refreshedAt = performance.now();
    const ready = [...this.#nodes.values()].filter((node) => node.isReady);
    if (ready.length === 0) {
      // No known node is connected. The hosts in REDIS_URL may lead to others.
      for (const host of this.#address.hosts) this.#add(host);
      return;
    }
    const asked = shuffled(ready).slice(0, ASKED_AT_ONCE);
    try {
      const ranges = await Promise.any(
        asked.map(async (node) => readClusterSlots(await node.redis.cluster('SLOTS'), hostOf(node).host)),
      );
      this.#apply(ranges);
    } catch {
      // No node answered. The next failed command asks again, at the latest the next interval.
    }
  }

  #apply(ranges: readonly SlotRange[]): void {
    // A node that knows no ranges was just started, or was removed from the Cluster.
    if (ranges.length === 0) return;
    this.#owners.fill(undefined);
    for (const { first, last, host } of ranges) this.#owners.fill(addressOf(host), first, last + 1);
    const serving = new Set(ranges.map(({ host }) => this.#add(host)));
    const before = this.#serving;
    this.#serving = serving;
    for (const [address, node] of this.#nodes) if (!serving.has(node)) this.#remove(address);
    // A node that newly serves slots may lack data that the previous node had.
    for (const node of serving) if (!before.has(node) && node.isReady) this.#tell();
  }

  /** Returns the node at that address. Connects to it if it is new. */
  #add(host: RedisHost): RedisNode {
    const address = addressOf(host);
    const known = this.#nodes.get(address);
    if (known !== undefined) return known;
    const redis = new Redis({ ...commandOptions(this.#address, this.#waits.commandMs), ...host });
    const node = new RedisNode(redis, this.#waits.halfOpenMs);
    this.#nodes.set(address, node);
    logLosses(redis, { connection: 'commands', node: () => address }, this.#log);
    keepConnected(redis);
    redis.on('ready', () => {
      if (this.#serving.has(node)) this.#tell();
      // The first connected node names the others. A node that reconnects may have missed changes.
      void this.#refreshNow();
    });
    return node;
  }

  #remove(address: string): void {
    const node = this.#nodes.get(address);
    this.#nodes.delete(address);
    if (node !== undefined) closeRedis(node.redis);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function addressOf({ host, port }: RedisHost): string {
  return `${host}:${port}`;
}

function hostOf({ redis: { options } }: RedisNode): RedisHost {
  return { host: options.host ?? '', port: options.port ?? 0 };
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
