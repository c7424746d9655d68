import { setTimeout as sleep } from 'node:timers/promises';
import { parseRedisUrl } from '@posthorn/protocol';
import { type Redis, ReplyError } from 'ioredis';
import { REDIS_WAITS, type RedisWaits } from '../times';
import { ClusterNodes } from './cluster/cluster-nodes';
import type { Command, Replies } from './redis-commands';
import { isOutage, type RedisNode } from './redis-node';
import type { RedisNodes } from './redis-nodes';
import type { RedisLog } from './redis-options';
import { RedisOutageError } from './redis-outage-error';
import { SingleNode } from './single-node';

/** A reply, or an error: a `ReplyError` if Redis refused this command, otherwise a `RedisOutageError`. */
export type ReplyOrError<Name extends keyof Replies> = Replies[Name] | Error;

/** A command that has no reply yet. */
interface Sending {
  command: Command;
  /** Its place among the replies. */
  index: number;
  node: RedisNode | null;
  isAsking: boolean;
}

/**
 * The first redirection is followed at once. Further ones wait this long, because two nodes may point at each other.
 */
const FOLLOW_GAP_MS = 20;

/**
 * The connection for commands, to any kind of Redis. A command with an unknown outcome is never sent again, and no
 * command waits in a queue. Without Redis a command fails at once, with a hung Redis after a bounded time. On a
 * Cluster, all commands for one node go in one trip, and an unreachable node fails only its own commands.
 */
export class RedisConnection {
  readonly #nodes: RedisNodes;
  /** Callers take their own waits from here too. */
  readonly waits: RedisWaits;
  #onFault: () => void = () => undefined;

  constructor(url: string, log: RedisLog, waits = REDIS_WAITS) {
    const address = parseRedisUrl(url);
    const Nodes = address.kind === 'cluster' ? ClusterNodes : SingleNode;
    this.#nodes = new Nodes(address, log, waits);
    this.waits = waits;
  }

  /** True on a Cluster: a channel is only on the node of its slot (sharded pub/sub has its own commands and events). */
  get isSharded(): boolean {
    return this.#nodes.isCluster;
  }

  /** A second connection to the same Redis, for the subscription to `channel`. */
  openSubscriber(channel: string): Redis {
    return this.#nodes.openSubscriber(channel);
  }

  /** True when each node that serves keys answers a PING now. The last command may be too long ago to know. */
  async answers(): Promise<boolean> {
    const nodes = this.#nodes.all();
    const pongs = await Promise.all(
      nodes.map(async (node) => await node.send([{ command: ['ping'] }], this.waits.commandMs)),
    );
    const isThere = nodes.length > 0 && pongs.flat().every((pong) => pong === 'PONG');
    if (!isThere) this.#nodes.refresh();
    return isThere;
  }

  /** Calls `listener` each time Redis, or one of its nodes, becomes ready for commands, including the first time. */
  onReady(listener: () => void): void {
    this.#nodes.onReady(listener);
  }

  /** Calls `listener` each time a call failed, wholly or in part. */
  onFault(listener: () => void): void {
    this.#onFault = listener;
  }

  /**
   * Runs one command within `waitMs`.
   * @throws RedisOutageError
   */
  async run<Name extends keyof Replies>(
    command: Command<Name>,
    waitMs = this.waits.commandMs,
  ): Promise<Replies[Name]> {
    const [reply = new RedisOutageError('no reply')] = await this.runAll([command], waitMs);
    if (!(reply instanceof Error)) return reply;
    if (isOutage(reply)) throw reply;
    this.#onFault();
    throw new RedisOutageError(reply);
  }

  /** Runs commands within `waitMs`, in one trip to each node that serves some of them. Never throws. */
  async runAll<Name extends keyof Replies>(
    commands: readonly Command<Name>[],
    waitMs = this.waits.commandMs,
  ): Promise<ReplyOrError<Name>[]> {
    const replies: ReplyOrError<Name>[] = [];
    const sendings = commands.map((command, index) => ({
      command,
      index,
      node: this.#nodes.serving(command[1]),
      isAsking: false,
    }));
    await this.#send(sendings, performance.now() + waitMs, 0, (index, reply) => {
      // The name of a command decides the type of its reply.
      replies[index] = reply as ReplyOrError<Name>;
    });
    if (replies.some(isOutage)) {
      this.#onFault();
      this.#nodes.refresh();
    }
    return replies;
  }

  /** Publishes to each channel. A reply is the number of subscribers that received the text. Never throws. */
  async publish(
    texts: readonly (readonly [channel: string, text: string])[],
    waitMs?: number,
  ): Promise<ReplyOrError<'publish'>[]> {
    const name = this.isSharded ? 'spublish' : 'publish';
    return await this.runAll(
      texts.map(([channel, text]) => [name, channel, text] as const),
      waitMs,
    );
  }

  /** Groups `items` by the node that serves them, so that an unreachable node affects only its own group. */
  partition<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[][] {
    return [...groupBy(items, (item) => this.#nodes.serving(keyOf(item))).values()];
  }

  close(): void {
    this.#nodes.close();
  }

  /**
   * Sends each node its commands. If a node refuses a command because it does not serve the slot now, it is sent on.
   */
  async #send(
    sendings: readonly Sending[],
    deadline: number,
    round: number,
    settle: (index: number, reply: unknown) => void,
  ): Promise<void> {
    const groups = [...groupBy(sendings, ({ node }) => node)];
    await Promise.all(
      groups.map(async ([node, group]) => {
        const waitMs = deadline - performance.now();
        const replies =
          node === null || waitMs <= 0
            ? group.map(
                () => new RedisOutageError(node === null ? 'no known node serves the key' : 'no time left'),
              )
            : await node.send(group, waitMs);
        const again: Sending[] = [];
        for (const [position, sending] of group.entries()) {
          const reply = replies[position];
          const redirection = redirectionOf(reply);
          if (redirection === null) settle(sending.index, reply);
          else again.push(this.#redirect(sending, redirection));
        }
        if (again.length === 0) return;
        this.#nodes.refresh();
        if (round > 0) await sleep(FOLLOW_GAP_MS);
        await this.#send(again, deadline, round + 1, settle);
      }),
    );
  }

  #redirect({ command, index }: Sending, { address, isAsking }: Redirection): Sending {
    const named = this.#nodes.at(address);
    // A node that is not known yet will be known in the next round.
    return {
      command,
      index,
      node: named ?? this.#nodes.serving(command[1]),
      isAsking: isAsking && named !== null,
    };
  }
}

/** Where to send a command. An empty address means the node that serves the key, once the Cluster has settled that. */
interface Redirection {
  address: string;
  isAsking: boolean;
}

/**
 * Parses the refusals of a Cluster node that does not serve the slot (now). The node has not executed the command. Null
 * for any other reply.
 */
function redirectionOf(reply: unknown): Redirection | null {
  if (!(reply instanceof ReplyError) || !(reply instanceof Error)) return null;
  const [word, , address = ''] = reply.message.split(' ');
  switch (word) {
    case 'MOVED':
      return { address, isAsking: false };
    case 'ASK':
      return { address, isAsking: true };
    case 'TRYAGAIN':
    case 'CLUSTERDOWN':
      return { address: '', isAsking: false };
    default:
      return null;
  }
}

function groupBy<Item, Group>(items: readonly Item[], groupOf: (item: Item) => Group): Map<Group, Item[]> {
  const groups = new Map<Group, Item[]>();
  for (const item of items) {
    const group = groupOf(item);
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [item]);
    else members.push(item);
  }
  return groups;
}
