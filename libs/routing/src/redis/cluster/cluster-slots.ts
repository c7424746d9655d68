import type { RedisHost } from '@posthorn/protocol';

/** Slots in a row, and the master that serves them. */
export interface SlotRange {
  first: number;
  last: number;
  host: RedisHost;
}

/**
 * Reads what CLUSTER SLOTS replied. A node that does not know its own name leaves it out: it is where it was asked.
 */
export function readClusterSlots(reply: unknown, askedHost: string): SlotRange[] {
  if (!Array.isArray(reply)) throw new Error('CLUSTER SLOTS replied something else');
  return reply.map((range: unknown) => {
    const [first, last, master] = Array.isArray(range) ? range : [];
    const [name, port] = Array.isArray(master) ? master : [];
    if (typeof first !== 'number' || typeof last !== 'number' || typeof port !== 'number') {
      throw new Error('CLUSTER SLOTS replied something else');
    }
    const host = typeof name === 'string' && name !== '' && name !== '?' ? name : askedHost;
    return { first, last, host: { host, port } };
  });
}
