import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Keys } from '../keys';
import { closeRedis } from '../redis/lasting-redis';
import type { RedisConnection } from '../redis/redis-connection';
import type { RedisLog } from '../redis/redis-options';
import { PROBE_MS, WATCHDOG_MS } from '../times';
import { type GatewayNotice, parseGatewayNotice } from './gateway-notice';

/** Receives what arrives on a gateway's channel. */
export interface ChannelListener {
  onNotice(notice: GatewayNotice): void;
  /** The subscription works (again). Notices that were published without it are lost. */
  onReturn(): void;
  /** Something arrived that is not a valid notice. */
  onRubbish(): void;
}

const MAX_MISSES = 2;
const FIRST_REFUSAL_MS = 50;

/**
 * The subscription to the gateway's own channel. The Redis client does not notice a server that stays silent, or a
 * subscription that gets nothing any more. So the gateway pings the connection and publishes probes to itself. After
 * two misses it reconnects.
 */
export class GatewayChannel {
  readonly #redis: RedisConnection;
  readonly #subscriber: Redis;
  readonly #channel: string;
  readonly #listener: ChannelListener;
  readonly #log: RedisLog;
  readonly #timers: NodeJS.Timeout[] = [];
  #isSubscribed = false;
  #isClosed = false;
  /** How many subscriptions in a row were refused. */
  #refusals = 0;
  #pingMisses = 0;
  #probeMisses = 0;
  #nonce: string | null = null;

  constructor(redis: RedisConnection, keys: Keys, gateway: string, listener: ChannelListener, log: RedisLog) {
    this.#redis = redis;
    this.#channel = keys.channel(gateway);
    this.#listener = listener;
    this.#log = log;
    this.#subscriber = redis.openSubscriber(this.#channel);
    const event = redis.isSharded ? 'smessage' : 'message';
    this.#subscriber.on(event, (_channel: string, text: string) => this.#receive(text));
    this.#subscriber.on('ready', () => void this.#subscribe());
    // A Cluster ends the subscription when the slot of the channel goes to another node.
    this.#subscriber.on('moved', () => {
      if (this.#isSubscribed) this.#reconnect('the channel moved to another node');
    });
    this.#subscriber.on('close', () => {
      this.#isSubscribed = false;
    });
    this.#timers.push(
      setInterval(() => void this.#ping(), WATCHDOG_MS),
      setInterval(() => void this.#probe(), PROBE_MS),
    );
  }

  /** True while what is published to this gateway is expected to arrive. */
  get isSubscribed(): boolean {
    return this.#isSubscribed;
  }

  /** Resolves once it is subscribed, or after `waitMs`, because the gateway starts without Redis too. */
  async whenSubscribed(waitMs: number): Promise<void> {
    const deadline = Date.now() + waitMs;
    while (!this.#isSubscribed && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 10));
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#isSubscribed = false;
    closeRedis(this.#subscriber);
  }

  async #subscribe(): Promise<void> {
    try {
      if (this.#redis.isSharded) await this.#subscriber.ssubscribe(this.#channel);
      else await this.#subscriber.subscribe(this.#channel);
    } catch (error) {
      await this.#subscribeLater(error);
      return;
    }
    this.#isSubscribed = true;
    this.#refusals = 0;
    this.#pingMisses = 0;
    this.#probeMisses = 0;
    this.#nonce = null;
    this.#listener.onReturn();
  }

  /**
   * Redis refused the subscription on a good connection. Tries again after a pause, and logs only the first refusal.
   */
  async #subscribeLater(error: unknown): Promise<void> {
    const delayMs = Math.min(FIRST_REFUSAL_MS * 2 ** this.#refusals, WATCHDOG_MS);
    this.#refusals++;
    if (this.#refusals === 1) this.#warn('subscribing failed', error);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    if (this.#isClosed || this.#isSubscribed) return;
    if (this.#subscriber.status === 'ready') this.#subscriber.disconnect(true);
  }

  #receive(text: string): void {
    const notice = parseGatewayNotice(text);
    if (notice === null) {
      this.#listener.onRubbish();
      return;
    }
    if (notice.type !== 'probe') {
      this.#listener.onNotice(notice);
      return;
    }
    if (notice.nonce === this.#nonce) {
      this.#nonce = null;
      this.#probeMisses = 0;
    }
  }

  async #ping(): Promise<void> {
    if (!this.#isSubscribed) return;
    try {
      await this.#subscriber.ping();
      this.#pingMisses = 0;
    } catch (error) {
      // If the connection broke, the client is already reconnecting.
      if (!this.#isSubscribed) return;
      this.#pingMisses++;
      if (this.#pingMisses >= MAX_MISSES) this.#reconnect('the subscriber does not answer', error);
    }
  }

  /** A probe that did not come back within a round is a miss. A probe that could not be sent does not count. */
  async #probe(): Promise<void> {
    if (!this.#isSubscribed) return;
    if (this.#nonce !== null && ++this.#probeMisses >= MAX_MISSES) {
      this.#reconnect('published probes do not arrive');
      return;
    }
    const nonce = randomUUID();
    this.#nonce = nonce;
    const notice: GatewayNotice = { type: 'probe', nonce };
    const [receivers] = await this.#redis.publish([[this.#channel, JSON.stringify(notice)]]);
    if (receivers instanceof Error && this.#nonce === nonce) this.#nonce = null;
  }

  #reconnect(reason: string, error?: unknown): void {
    this.#warn(reason, error);
    this.#isSubscribed = false;
    this.#pingMisses = 0;
    this.#probeMisses = 0;
    this.#nonce = null;
    this.#subscriber.disconnect(true);
  }

  #warn(reason: string, error?: unknown): void {
    this.#log.warn('subscription renewed', { reason, error });
  }
}
