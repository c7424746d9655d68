import type { ReceiptNews } from '@posthorn/protocol';
import type { Keys } from '../keys';
import type { Presence } from '../presence/presence';
import type { RedisConnection } from '../redis/redis-connection';
import { isOutage } from '../redis/redis-node';
import { RedisOutageError } from '../redis/redis-outage-error';
import type { GatewayNotice } from './gateway-notice';

/**
 * Sends gateways all notices that are not entries: receipts, takeovers, surplus connections, disconnects by operators.
 */
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
   * Publishes receipts to the gateways that hold their senders, one publish for each gateway. The receipts are stored
   * already: if Redis is unreachable, only this news is lost. Never throws.
   * @param except a gateway that gets no notice, because it has the news already
   * @returns false when some of the news may be lost
   */
  async publishReceipts(news: readonly ReceiptNews[], except?: string): Promise<boolean> {
    if (news.length === 0) return true;
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
    const outage = await this.#publish(notices);
    return outage === undefined && !holders.includes(null);
  }

  /**
   * Tells a gateway that another gateway has a newer connection of a device.
   * @throws RedisOutageError
   */
  async publishTakeover(
    gateway: string,
    taken: { user: string; device: string; fence: number; epoch: string },
  ): Promise<void> {
    await this.#publishOrThrow(new Map([[gateway, { type: 'takeover', ...taken }]]));
  }

  /**
   * Ends a connection on another gateway, because the user has too many.
   * @throws RedisOutageError
   */
  async publishSurplus(gateway: string, surplus: { user: string; device: string }): Promise<void> {
    await this.#publishOrThrow(new Map([[gateway, { type: 'surplus', ...surplus }]]));
  }

  /**
   * Ends the connections of a user, or of one device, on every gateway.
   * @throws RedisOutageError
   */
  async publishDisconnect(user: string, device?: string): Promise<void> {
    const [holders] = await this.#presence.findHolders([user]);
    if (!holders) throw new RedisOutageError('the presence of the user cannot be read');
    const notice: GatewayNotice = { type: 'disconnect', user, ...(device === undefined ? {} : { device }) };
    await this.#publishOrThrow(new Map([...holders.keys()].map((gateway) => [gateway, notice])));
  }

  async #publishOrThrow(notices: ReadonlyMap<string, GatewayNotice>): Promise<void> {
    const outage = await this.#publish(notices);
    if (outage !== undefined) throw outage;
  }

  /** Returns the outage if some of the gateways could not be told. */
  async #publish(notices: ReadonlyMap<string, GatewayNotice>): Promise<RedisOutageError | undefined> {
    const receivers = await this.#redis.publish(
      [...notices].map(([gateway, notice]) => [this.#keys.channel(gateway), JSON.stringify(notice)]),
    );
    return receivers.find(isOutage);
  }
}
