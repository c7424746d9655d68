import type { ServerFrame } from '@posthorn/protocol';

/** What one connection of a device saw, in order. */
export interface ConnectionHistory {
  user: string;
  frames: readonly ServerFrame[];
  /** The device's cursor when it connected, as reported by its own `ok` frames. */
  cursor: number;
  /** The newest `seq` that was committed early enough before the connection ended. */
  newest: number;
}

/** How a promise of PROTOCOL §1 was broken. */
export type Violation = 'lost' | 'late' | 'misdelivered' | 'out of turn' | 'at or below the cursor';

/**
 * Compares what connections saw with what was accepted. A pure function.
 * @param accepted message id → its recipients, for every 201
 * @param final for each user a connection that stayed to the end
 */
export function checkHistory(
  accepted: ReadonlyMap<string, readonly string[]>,
  connections: readonly ConnectionHistory[],
  final: readonly ConnectionHistory[],
): Violation[] {
  const violations = new Set<Violation>();
  for (const { user, frames, cursor, newest } of connections) {
    let last: number | null = null;
    for (const frame of frames) {
      if (frame.type === 'welcome') last = frame.after;
      if (frame.type !== 'message') continue;
      if (last === null || frame.seq !== last + 1) violations.add('out of turn');
      if (frame.seq <= cursor) violations.add('at or below the cursor');
      if (!accepted.get(frame.message.id)?.includes(user)) violations.add('misdelivered');
      last = frame.seq;
    }
    if ((last ?? 0) < newest) violations.add('late');
  }
  for (const { user } of final) {
    const seen = new Set(
      connections
        .filter((connection) => connection.user === user)
        .flatMap(({ frames }) => frames)
        .map((frame) => (frame.type === 'message' ? frame.message.id : '')),
    );
    for (const [id, recipients] of accepted) {
      if (recipients.includes(user) && !seen.has(id)) violations.add('lost');
    }
  }
  return [...violations];
}
