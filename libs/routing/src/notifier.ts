import type { ReceiptNews } from '@posthorn/protocol';
import type { GatewayNotice } from './gateway-notice';
import type { Keys } from './keys';
import type { Presence } from './presence';
import { executePipeline, type RedisConnection, RedisOutageError } from './redis-connection';

/** Tells gateways what is not an inbox entry: receipts, takeovers, surplus connections, an operator's disconnect. */
export class Notifier {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #presence: Presence;

  constructor(redis: RedisConnection, keys: Keys, presence: Presence) {
    this.#redis = redis;
    this.#keys = keys;
    this.#presence = presence;
  }

  /**
   * Publishes receipts to the gateways that hold their senders, one publish for each gateway. They are news, not
   * the truth: without Redis they are lost, and the false that comes back says so.
   */
  async publishReceipts(news: readonly ReceiptNews[], except?: string): Promise<boolean> {
    if (news.length === 0) return true;
    try {
      const senders = [...new Set(news.map((item) => item.sender))];
      const holders = await this.#presence.findHolders(senders);
      const gatewaysOf = new Map(senders.map((sender, index) => [sender, holders[index]]));
      const notices = new Map<string, GatewayNotice & { type: 'receipts' }>();
      for (const item of news) {
        for (const gateway of gatewaysOf.get(item.sender)?.keys() ?? []) {
          if (gateway === except) continue;
          const notice = notices.get(gateway);
          if (notice === undefined) notices.set(gateway, { type: 'receipts', news: [item] });
          else notice.news.push(item);
        }
      }
      await this.#publish(notices);
      return true;
    } catch (error) {
      if (error instanceof RedisOutageError) return false;
      throw error;
    }
  }

  /**
   * Tells another gateway that a device's newer connection is not there.
   * @throws RedisOutageError
   */
  async publishTakeover(
    gateway: string,
    taken: { user: string; device: string; fence: number; epoch: string },
  ): Promise<void> {
    await this.#publish(new Map([[gateway, { type: 'takeover', ...taken }]]));
  }

  /**
   * Ends a connection on another gateway that is beyond the user's limit.
   * @throws RedisOutageError
   */
  async publishSurplus(gateway: string, surplus: { user: string; device: string }): Promise<void> {
    await this.#publish(new Map([[gateway, { type: 'surplus', ...surplus }]]));
  }

  /**
   * Ends the connections of a user, or of one device, on every gateway.
   * @throws RedisOutageError
   */
  async publishDisconnect(user: string, device?: string): Promise<void> {
    const [holders] = await this.#presence.findHolders([user]);
    const notice: GatewayNotice = { type: 'disconnect', user, ...(device === undefined ? {} : { device }) };
    await this.#publish(new Map([...(holders?.keys() ?? [])].map((gateway) => [gateway, notice])));
  }

  async #publish(notices: ReadonlyMap<string, GatewayNotice>): Promise<void> {
    if (notices.size === 0) return;
    await this.#redis.run((redis) => {
      const pipeline = redis.pipeline();
      for (const [gateway, notice] of notices) {
        pipeline.publish(this.#keys.channel(gateway), JSON.stringify(notice));
      }
      return executePipeline<number>(pipeline);
    });
  }
}
