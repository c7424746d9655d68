/** The only place that spells a Redis key or channel (PROTOCOL §6). The braces are a Cluster's hash tag. */
export class Keys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Hash: gateway id → how many connections of the user it holds. */
  presence(user: string): string {
    return `${this.#prefix}{${user}}:presence`;
  }

  /** List: entries that were routed while nobody held the user. Shares its slot with the presence. */
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

  /** Sorted set: the ids of gateways, by when each renewed its lease last. An index of leases, no more. */
  gateways(): string {
    return `${this.#prefix}gateways`;
  }

  /** String with a short life: what a gateway answers an operator. */
  inspection(id: string): string {
    return `${this.#prefix}inspection:${id}`;
  }

  /** Channel: where that gateway listens. */
  channel(gateway: string): string {
    return `${this.#prefix}gateway:${gateway}`;
  }
}
