import type { RedisHost } from '@posthorn/protocol';

/** Consecutive slots, and the master that serves them. */
export interface SlotRange {
  first: number;
  last: number;
  host: RedisHost;
}

/**
 * Parses the reply of CLUSTER SLOTS. A node that does not know its own host name leaves it out. Then it is the host
 * that was asked.
 * @throws Error when the reply has another form
 */
export function readClusterSlots(reply: unknown, askedHost: string): SlotRange[] {
  if (!Array.isArray(reply)) throw new Error('unexpected reply to CLUSTER SLOTS');
  return reply.map((range: unknown) => {
    const [first, last, master] = Array.isArray(range) ? range : [];
    const [name, port] = Array.isArray(master) ? master : [];
    if (typeof first !== 'number' || typeof last !== 'number' || typeof port !== 'number') {
      throw new Error('unexpected reply to CLUSTER SLOTS');
    }
    const host = typeof name === 'string' && name !== '' && name !== '?' ? name : askedHost;
    return { first, last, host: { host, port } };
  });
}
