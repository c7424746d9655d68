import type { Session } from '../session/session';
import type { ConnectionTable } from './connection-table';

/** Part of the time in which connections are sent away; the rest is for what they still acknowledge. */
const SPREAD = 0.8;

/**
 * Sends one connection away: it comes back after a while that differs between clients, so that they do not
 * all arrive at once elsewhere.
 * @param withinMs the longest while
 */
export function sendAway(session: Session, withinMs: number): void {
  session.send({ type: 'goodbye', reconnectAfterMs: Math.floor(Math.random() * withinMs) });
  session.close('serviceRestart');
}

/** Sends all connections away, spread over `drainMs`; also those that were still being opened when it began. */
export async function stopConnections(table: ConnectionTable, drainMs: number): Promise<void> {
  const end = Date.now() + drainMs * SPREAD;
  while (table.size > 0) {
    const left = end - Date.now();
    const sessions = [...table.all()];
    const stepMs = 50;
    const share =
      left <= 0 ? sessions.length : Math.ceil((sessions.length * stepMs) / Math.max(left, stepMs));
    for (const session of sessions.slice(0, share)) sendAway(session, drainMs);
    if (table.size > 0)
      await new Promise((resolve) => setTimeout(resolve, Math.min(stepMs, Math.max(0, left))));
  }
}
