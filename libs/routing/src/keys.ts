/**
 * The only place that spells Redis keys and channels (PROTOCOL §6). The text in braces is the hash tag of a Cluster.
 */
export class Keys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Hash: gateway id → how many connections of the user it holds. */
  presence(user: string): string {
    return `${this.#prefix}{${user}}:presence`;
  }

  /** List: entries that were routed while nobody held the user. It has the same slot as the presence. */
  offline(user: string): string {
    return `${this.#prefix}{${user}}:offline`;
  }

  /** String: the user's bucket of sends. */
  sends(user: string): string {
    return `${this.#prefix}{${user}}:sends`;
  }

  /** String with a short life: a gateway's lease. */
  lease(gateway: string): string {
    return `${this.#prefix}gateway:${gateway}`;
  }

  /** Sorted set: ids of gateways, by when each last renewed its lease. It is only an index: the leases decide. */
  gateways(): string {
    return `${this.#prefix}gateways`;
  }

  /** String with a short life: the answer of a gateway to an operator. */
  inspection(id: string): string {
    return `${this.#prefix}inspection:${id}`;
  }

  /** Channel: where the gateway listens. */
  channel(gateway: string): string {
    return `${this.#prefix}gateway:${gateway}`;
  }
}
