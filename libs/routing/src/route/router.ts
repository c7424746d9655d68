import { type EntriesItem, Envelope, type RoutableMessage } from '../channel/envelope';
import type { GatewayNotice } from '../channel/gateway-notice';
import type { Keys } from '../keys';
import type { LiveGateways, LivenessWords } from '../presence/live-gateways';
import type { RedisConnection } from '../redis/redis-connection';

/** Limits of one user's offline list. */
export interface OfflineListLimits {
  /** Entries. */
  max: number;
  ttlS: number;
}

/** How many inbox entries were routed which way. */
export interface RouteSummary {
  /** Published to a gateway that holds the user. */
  published: number;
  /** Appended to the offline list. */
  listed: number;
  /** Redis did not answer in time. Reconcile delivers them. */
  unknown: number;
}

interface UserRoute {
  user: string;
  items: { envelope: Envelope; seq: number }[];
  /** The live gateways that hold the user. */
  holders: string[];
}

/** How often `#placeAll` runs the route script for a user, at most. In between, leases of unknown gateways are read. */
const MAX_ROUNDS = 3;

/**
 * Routes committed messages to the gateways that hold a recipient, or to the recipient's offline list. It may fail at
 * any point. A failure only costs latency.
 */
export class Router {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #gateways: LiveGateways;
  readonly #limits: OfflineListLimits;

  constructor(redis: RedisConnection, keys: Keys, gateways: LiveGateways, limits: OfflineListLimits) {
    this.#redis = redis;
    this.#keys = keys;
    this.#gateways = gateways;
    this.#limits = limits;
  }

  /** Routes a batch within `RedisWaits.routeMs`. Never throws: entries that could not be routed count as unknown. */
  async route(batch: readonly RoutableMessage[]): Promise<RouteSummary> {
    const summary: RouteSummary = { published: 0, listed: 0, unknown: 0 };
    const deadline = Date.now() + this.#redis.waits.routeMs;
    // Users are grouped by node, so that an unreachable node does not delay users of the others.
    const parts = this.#redis.partition(groupByUser(batch), ({ user }) => this.#keys.presence(user));
    await Promise.all(parts.map((part) => this.#routePart(part, deadline, summary)));
    const total = batch.reduce((sum, message) => sum + message.entries.length, 0);
    summary.unknown = Math.max(0, total - summary.published - summary.listed);
    return summary;
  }

  async #routePart(routes: readonly UserRoute[], deadline: number, summary: RouteSummary): Promise<void> {
    const { online, others } = await this.#findOnline(routes, deadline);
    online.push(...(await this.#placeAll(others, new Set(), deadline, summary)));
    const unreached = await this.#publish(online, deadline, summary);
    if (unreached.size === 0) return;
    const missed = online.filter((route) => route.holders.every((id) => unreached.has(id)));
    const stillOnline = await this.#placeAll(missed, unreached, deadline, summary);
    // A gateway that has come up since then holds these users. It reads the inbox after it has stored its presence, so
    // nothing is lost if this publish misses it too.
    await this.#publish(stillOnline, deadline, summary);
  }

  /**
   * Finds users who are held by live gateways only, which is the usual case. Nothing is appended for them, so they do
   * not need the route script. That script is more expensive, because it gets all entries in case it must append them.
   */
  async #findOnline(
    routes: readonly UserRoute[],
    deadline: number,
  ): Promise<{ online: UserRoute[]; others: UserRoute[] }> {
    const { live } = await this.#gateways.words(remaining(deadline));
    const replies = await this.#redis.runAll(
      routes.map(({ user }) => ['hkeys', this.#keys.presence(user)] as const),
      remaining(deadline),
    );
    const online: UserRoute[] = [];
    const others: UserRoute[] = [];
    for (const [index, route] of routes.entries()) {
      const ids = replies[index];
      const isOnline = Array.isArray(ids) && ids.length > 0 && ids.every((id) => live.includes(` ${id} `));
      if (isOnline) online.push({ ...route, holders: ids });
      else others.push(route);
    }
    this.#gateways.markUsed(online.flatMap((route) => route.holders));
    return { online, others };
  }

  /** Runs the route script for each user. Returns the users that live gateways hold. */
  async #placeAll(
    routes: readonly UserRoute[],
    unreached: ReadonlySet<string>,
    deadline: number,
    summary: RouteSummary,
  ): Promise<UserRoute[]> {
    const online: UserRoute[] = [];
    let waiting = routes;
    for (let round = 0; waiting.length > 0 && round < MAX_ROUNDS; round++) {
      const words = withoutUnreached(await this.#gateways.words(remaining(deadline)), unreached);
      const replies = await this.#runScripts(waiting, words, deadline);
      const unknownIds = new Set<string>();
      const again: UserRoute[] = [];
      for (const [index, route] of waiting.entries()) {
        const reply = replies[index];
        if (!Array.isArray(reply)) continue;
        const [kind, ...ids] = reply;
        if (kind === 'listed') summary.listed += route.items.length;
        else if (kind === 'live') online.push({ ...route, holders: ids });
        else {
          again.push(route);
          for (const id of ids) unknownIds.add(id);
        }
      }
      if (unknownIds.size > 0) {
        await this.#gateways.read(
          [...unknownIds],
          Math.min(remaining(deadline), this.#redis.waits.livenessMs),
        );
      }
      waiting = again;
    }
    this.#gateways.markUsed(online.flatMap((route) => route.holders));
    return online;
  }

  async #runScripts(
    routes: readonly UserRoute[],
    words: LivenessWords,
    deadline: number,
  ): Promise<(string[] | Error)[]> {
    return await this.#redis.runAll(
      routes.map(
        ({ user, items }) =>
          [
            'posthornRoute',
            this.#keys.presence(user),
            this.#keys.offline(user),
            words.live,
            words.absent,
            words.dead,
            this.#limits.max,
            this.#limits.ttlS,
            ...items.map(({ envelope, seq }) => envelope.listedEntry(user, seq)),
          ] as const,
      ),
      remaining(deadline),
    );
  }

  /** Publishes once to each gateway. Returns the gateways whose channel had no subscriber. */
  async #publish(
    routes: readonly UserRoute[],
    deadline: number,
    summary: RouteSummary,
  ): Promise<Set<string>> {
    const notices = [...noticesByGateway(routes)];
    const receivers = await this.#redis.publish(
      notices.map(([id, notice]) => [this.#keys.channel(id), JSON.stringify(notice)]),
      remaining(deadline),
    );
    // If a publish failed, its outcome is unknown: the gateway counts neither as reached nor as unreached.
    const idsWhere = (test: (count: number) => boolean): Set<string> =>
      new Set(
        notices
          .map(([id]) => id)
          .filter((_, index) => {
            const count = receivers[index];
            return typeof count === 'number' && test(count);
          }),
      );
    const reached = idsWhere((count) => count > 0);
    for (const route of routes) {
      if (route.holders.some((id) => reached.has(id))) summary.published += route.items.length;
    }
    return idsWhere((count) => count === 0);
  }
}

function groupByUser(batch: readonly RoutableMessage[]): UserRoute[] {
  const routes = new Map<string, UserRoute>();
  for (const message of batch) {
    const envelope = new Envelope(message);
    for (const { user, seq } of message.entries) {
      const route = routes.get(user);
      if (route === undefined) routes.set(user, { user, items: [{ envelope, seq }], holders: [] });
      else route.items.push({ envelope, seq });
    }
  }
  // The list is oldest first, but two messages of one batch may have got their `seq` in the other order.
  for (const route of routes.values()) route.items.sort((a, b) => a.seq - b.seq);
  return [...routes.values()];
}

function noticesByGateway(routes: readonly UserRoute[]): Map<string, GatewayNotice & { type: 'entries' }> {
  const notices = new Map<string, GatewayNotice & { type: 'entries' }>();
  const items = new Map<string, EntriesItem>();
  const envelopeNames = new Map<Envelope, number>();
  for (const { user, items: routed, holders } of routes) {
    for (const { envelope, seq } of routed) {
      const name = envelopeNames.get(envelope) ?? envelopeNames.set(envelope, envelopeNames.size).size - 1;
      for (const id of holders) {
        const itemName = `${id} ${name} ${envelope.isSender(user)}`;
        let item = items.get(itemName);
        if (item === undefined) {
          const message = envelope.messageFor(user);
          const { epoch, trace } = envelope;
          item = {
            epoch,
            to: [],
            ...(message === undefined ? {} : { message }),
            ...(trace === undefined ? {} : { trace }),
          };
          items.set(itemName, item);
          const notice = notices.get(id);
          if (notice === undefined) notices.set(id, { type: 'entries', items: [item] });
          else notice.items.push(item);
        }
        item.to.push([user, seq]);
      }
    }
  }
  return notices;
}

/** A gateway that a publish did not reach counts as absent, whatever its lease says. */
function withoutUnreached(words: LivenessWords, unreached: ReadonlySet<string>): LivenessWords {
  let { live, absent } = words;
  for (const id of unreached) {
    live = live.replace(` ${id} `, ' ');
    absent += `${id} `;
  }
  return { ...words, live, absent };
}

function remaining(deadline: number): number {
  return Math.max(1, deadline - Date.now());
}
